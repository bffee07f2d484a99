import type { APIPromise, BaseAnthropic } from '@anthropic-ai/sdk'
import { type Batch, isBatchId } from '../core/batch/batch.ts'
import type { Batches } from '../core/batch/batch-api.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { Request } from '../core/request/request.ts'
import { batchAnswerFrom, longestLine } from './batch-answer.ts'
import { linesOf } from './lines.ts'
import { bodyOf } from './read-message.ts'
import { fieldsIn } from './wire-values.ts'

export interface BatchesOptions {
  readonly anthropic: BaseAnthropic
  /** The base URL that is asked. */
  readonly endpoint: string
  /** Between two signs of life of a transfer: milliseconds. */
  readonly idleTimeoutMs: number
  /** For bodies of hundreds of megabytes, both ways. */
  readonly dispatcher: () => Promise<unknown>
  /** Does something under a deadline, in milliseconds, which it may renew, and turns what goes wrong into an `AskError`. */
  readonly within: <T>(
    signal: AbortSignal,
    work: (signal: AbortSignal, renew: (ms: number) => void) => Promise<T>,
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
export function batchesOf(options: BatchesOptions): Batches {
  const { anthropic, endpoint, idleTimeoutMs, dispatcher, faulty, wall, paramsOf } = options
  const within: BatchesOptions['within'] = (signal, work, ms) =>
    options.within(signal, work, ms).catch((error: unknown) => {
      throw aboutBatches(error)
    })
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
      const send = async (signal: AbortSignal, renew: (ms: number) => void) => {
        const watched = ReadableStream.from(watchedUpload(body, idleTimeoutMs, renew))
        return batch(anthropic.post(path, { body: watched, headers, signal, ...(await bulk()) }))
      }
      return within(signal, send, idleTimeoutMs)
    },
    retrieve,
    since: (time, signal) =>
      within(signal, async (signal, renew) => {
        const found = new Map<string, Batch>()
        let after: string | undefined
        for (let pages = 0; pages < mostPages; pages++) {
          if (pages > 0) renew(idleTimeoutMs)
          const query = { limit: 100, ...(after !== undefined && { after_id: after }) }
          const response = await anthropic.get(path, { query, signal }).asResponse()
          const page = fieldsIn(await bodyOf(response))
          if (!Array.isArray(page['data']))
            throw malformed('the answer is not a list of batches of the Message Batches API')
          const batches = page['data'].map(batchFrom)
          const ahead = wall() - Date.parse(response.headers.get('date') ?? '')
          // The newest come first. Where this machine's clock is ahead, all of them seem too old.
          const earliest = ahead > 0 ? time - ahead : time
          const recent = batches.filter(({ created }) => created >= earliest)
          const before = found.size
          for (const batch of recent) found.set(batch.id, batch)
          if (recent.length < batches.length || page['has_more'] !== true || recent.length === 0)
            return { batches: [...found.values()], isComplete: true }
          // A gateway that ignores `after_id` answers with the same page for ever.
          if (found.size === before) break
          after = recent.at(-1)?.id
        }
        return { batches: [...found.values()], isComplete: false }
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
      const transfer = new AbortController()
      const abort = () => transfer.abort()
      signal.addEventListener('abort', abort, { once: true })
      try {
        const results = async () =>
          anthropic.get(`${where}/results`, { signal: transfer.signal, ...(await bulk()) }).asResponse()
        // Only the beginning has this deadline: the whole may take as long as it takes, and the dispatcher ends a
        // transfer that falls silent.
        const { body } = await within(
          signal,
          async (deadline) => {
            deadline.addEventListener('abort', abort, { once: true })
            return results()
          },
          idleTimeoutMs,
        )
        for await (const line of linesOf(body ?? [], longestLine)) yield batchAnswerFrom(line)
      } catch (error) {
        signal.throwIfAborted()
        throw aboutBatches(error instanceof AskError ? error : faulty(error))
      } finally {
        signal.removeEventListener('abort', abort)
      }
    },
  }
}

/** 256 MB take half an hour at a megabit per second. */
const longestTransferMs = 3_600_000

/** Of 100 batches each. */
const mostPages = 100

/** What may be on its way to the server when the last piece was handed over: bytes. */
const mostBuffered = 8_000_000

/** A megabit per second: bytes per millisecond. */
const slowestUpload = 125

/** The pieces of a body, each of which renews the deadline. When the last is handed over, some are still in buffers. */
async function* watchedUpload(
  body: AsyncIterable<Uint8Array>,
  idleTimeoutMs: number,
  renew: (ms: number) => void,
): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const piece of body) {
    yield piece
    sent += piece.length
    renew(idleTimeoutMs + piece.length / slowestUpload)
  }
  renew(idleTimeoutMs + Math.min(sent, mostBuffered) / slowestUpload)
}

/** So that advice is about batches, and not about a model. */
function aboutBatches(error: unknown): unknown {
  if (!(error instanceof AskError)) return error
  return new AskError({ ...error.fault, about: 'batches' }, error.attempts, error.again)
}

/** A batch says where its results are. They are fetched from the base URL all the same: credentials go nowhere else. */
function refuseOtherHosts(batch: unknown, endpoint: string): void {
  const { results_url: url } = fieldsIn(batch)
  if (typeof url !== 'string' || !URL.canParse(url)) return
  if (new URL(url).host !== new URL(endpoint).host)
    throw new AskError({
      kind: 'malformed',
      type: 'foreign_results',
      message: `the API says that the results are at ${new URL(url).host}, where no credentials are sent`,
    })
}

function batchFrom(raw: unknown): Batch {
  const fields = fieldsIn(raw)
  const { id, processing_status: state, request_counts: counts } = fields
  const created = timeIn(fields['created_at'])
  const ended = timeIn(fields['ended_at'])
  if (!isBatchId(id) || typeof state !== 'string' || Number.isNaN(created))
    throw malformed('the answer is not a batch of the Message Batches API')
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
