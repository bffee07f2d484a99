import type { APIPromise, BaseAnthropic } from '@anthropic-ai/sdk'
import { type Batch, isBatchId } from '../core/batch.ts'
import type { Batches } from '../core/batches.ts'
import { AskError } from '../core/failure.ts'
import type { Request } from '../core/request.ts'
import { batchAnswerFrom, longestLine } from './batch-answer.ts'
import { linesOf } from './lines.ts'
import { bodyOf } from './message.ts'
import { fieldsIn } from './wire-values.ts'

export interface BatchesOptions {
  readonly anthropic: BaseAnthropic
  /** The base URL that is asked. */
  readonly endpoint: string
  /** For bodies of hundreds of megabytes, both ways. */
  readonly dispatcher: () => Promise<unknown>
  /** Does something under a deadline, of so many milliseconds, and turns what goes wrong into an `AskError`. */
  readonly within: <T>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
    ms?: number,
  ) => Promise<T>
  /** What went wrong on the way. */
  readonly faulty: (error: unknown) => AskError
  /** The time by this machine's clock: milliseconds since 1970. */
  readonly wall: () => number
  /** As the Messages API takes it. */
  readonly paramsOf: (request: Request) => object
}

const path = '/v1/messages/batches'

/**
 * The Message Batches API. The SDK's own methods would hold a whole body in memory, and send the credentials wherever
 * a `results_url` points.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function batchesOf({
  anthropic,
  endpoint,
  dispatcher,
  within,
  faulty,
  wall,
  paramsOf,
}: BatchesOptions): Batches {
  const bulk = async () => ({
    fetchOptions: { dispatcher: await dispatcher() } as never,
    timeout: longestTransferMs,
  })
  const batch = async (promise: APIPromise<unknown>) => batchFrom(await bodyOf(await promise.asResponse()))
  const retrieve = (id: string, signal: AbortSignal) =>
    within(signal, (signal) => batch(anthropic.get(`${path}/${encodeURIComponent(id)}`, { signal })))

  return {
    entry: (id, request) => JSON.stringify({ custom_id: id, params: paramsOf(request) }),
    create: (body, signal) => {
      const headers = { 'content-type': 'application/json' }
      const send = async (signal: AbortSignal) =>
        batch(anthropic.post(path, { body: ReadableStream.from(body), headers, signal, ...(await bulk()) }))
      return within(signal, send, longestTransferMs)
    },
    retrieve,
    since: (time, signal) =>
      within(signal, async (signal) => {
        const found: Batch[] = []
        for (let after: string | undefined; ; after = found.at(-1)?.id) {
          const query = { limit: 100, ...(after !== undefined && { after_id: after }) }
          const response = await anthropic.get(path, { query, signal }).asResponse()
          const page = fieldsIn(await bodyOf(response))
          if (!Array.isArray(page['data'])) throw malformed('not a list of batches')
          const batches = page['data'].map(batchFrom)
          // A server that ignores `after_id` would send the same page for ever.
          if (after !== undefined && batches.some(({ id }) => found.some((known) => known.id === id)))
            throw malformed('a list of batches that repeats itself')
          const ahead = wall() - Date.parse(response.headers.get('date') ?? '')
          // The newest come first. Where this machine's clock is ahead, all of them seem too old.
          const earliest = ahead > 0 ? time - ahead : time
          const recent = batches.filter(({ created }) => created >= earliest)
          found.push(...recent)
          if (recent.length < batches.length || page['has_more'] !== true || recent.length === 0) return found
        }
      }),
    cancel: (id, signal) =>
      within(signal, (signal) =>
        batch(anthropic.post(`${path}/${encodeURIComponent(id)}/cancel`, { signal })),
      ),
    async *answers(id, signal) {
      const where = `${path}/${encodeURIComponent(id)}`
      await within(signal, async (signal) =>
        refuseOtherHosts(await bodyOf(await anthropic.get(where, { signal }).asResponse()), endpoint),
      )
      try {
        // The whole may take as long as it takes; how long it may be silent is the dispatcher's.
        const { body } = await anthropic.get(`${where}/results`, { signal, ...(await bulk()) }).asResponse()
        for await (const line of linesOf(body ?? [], longestLine)) yield batchAnswerFrom(line)
      } catch (error) {
        signal.throwIfAborted()
        throw faulty(error)
      }
    },
  }
}

/** 256 MB take half an hour at a megabit per second. */
const longestTransferMs = 3_600_000

/** A batch says where its results are. They are fetched from the base URL all the same: credentials go nowhere else. */
function refuseOtherHosts(batch: unknown, endpoint: string): void {
  const { results_url: url } = fieldsIn(batch)
  if (typeof url !== 'string' || !URL.canParse(url)) return
  if (new URL(url).host !== new URL(endpoint).host)
    throw new AskError({
      kind: 'tls',
      type: 'foreign_results',
      message: `the service says that results are at ${new URL(url).host}, where no credentials are sent`,
    })
}

function batchFrom(raw: unknown): Batch {
  const fields = fieldsIn(raw)
  const { id, processing_status: state, request_counts: counts } = fields
  const created = timeIn(fields['created_at'])
  const ended = timeIn(fields['ended_at'])
  if (!isBatchId(id) || typeof state !== 'string' || Number.isNaN(created)) throw malformed('not a batch')
  const requests = Object.values(fieldsIn(counts)).filter((count) => typeof count === 'number')
  return {
    id,
    // A state that is not known yet is not the end.
    state: isState(state) ? state : 'in_progress',
    ...(requests.length > 0 && { requests: requests.reduce((sum, count) => sum + count, 0) }),
    created,
    ...(!Number.isNaN(ended) && { ended }),
    archived: typeof fields['archived_at'] === 'string',
  }
}

/** Milliseconds since 1970; NaN for what is no time. */
function timeIn(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : Number.NaN
}

const states = ['in_progress', 'canceling', 'ended'] as const

function isState(state: string): state is Batch['state'] {
  return states.some((known) => known === state)
}

function malformed(message: string): AskError {
  return new AskError({ kind: 'malformed', type: 'malformed_reply', message })
}
