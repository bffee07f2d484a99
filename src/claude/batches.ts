import type { BaseAnthropic } from '@anthropic-ai/sdk'
import type { Batch, BatchAnswer } from '../core/batch.ts'
import type { Batches } from '../core/batches.ts'
import { AskError, type Fault } from '../core/failure.ts'
import type { Request } from '../core/request.ts'
import { linesOf } from './lines.ts'
import { replyFrom } from './message.ts'

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
  paramsOf,
}: BatchesOptions): Batches {
  const bulk = async () => ({
    fetchOptions: { dispatcher: await dispatcher() } as never,
    timeout: longestTransferMs,
  })
  const batch = async (answer: PromiseLike<unknown>) => batchFrom(await answer)
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
          const page = (await anthropic.get(path, { query, signal })) as Record<string, unknown> | null
          if (!Array.isArray(page?.['data'])) throw malformed('not a list of batches')
          const batches = page['data'].map(batchFrom)
          // The newest come first.
          const recent = batches.filter(({ created }) => created >= time)
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
        refuseOtherHosts(await anthropic.get(where, { signal }), endpoint),
      )
      try {
        // The whole may take as long as it takes; how long it may be silent is the dispatcher's.
        const { body } = await anthropic.get(`${where}/results`, { signal, ...(await bulk()) }).asResponse()
        for await (const line of linesOf(body ?? [], longestLine)) yield answerFrom(line)
      } catch (error) {
        signal.throwIfAborted()
        throw faulty(error)
      }
    },
  }
}

/** 256 MB take half an hour at a megabit per second. */
const longestTransferMs = 3_600_000

/** Far longer than any answer, which is a summary. Characters. */
const longestLine = 16_000_000

/** It tells where the results are. We know that anyway, and our credentials go nowhere else. */
function refuseOtherHosts(batch: unknown, endpoint: string): void {
  const { results_url: url } = (batch ?? {}) as Record<string, unknown>
  if (typeof url !== 'string' || !URL.canParse(url)) return
  if (new URL(url).host !== new URL(endpoint).host)
    throw new AskError({
      kind: 'tls',
      type: 'foreign_results',
      message: `the service says that results are at ${new URL(url).host}, where no credentials are sent`,
    })
}

function batchFrom(raw: unknown): Batch {
  const fields = (typeof raw === 'object' ? raw : null) as Record<string, unknown> | null
  const { id, processing_status: state, request_counts: counts } = fields ?? {}
  const created = Date.parse(String(fields?.['created_at']))
  const ended = Date.parse(String(fields?.['ended_at']))
  if (typeof id !== 'string' || !isState(state) || Number.isNaN(created)) throw malformed('not a batch')
  const requests = Object.values(counts ?? {}).reduce(
    (sum: number, count: unknown) => sum + (typeof count === 'number' ? count : 0),
    0,
  )
  return {
    id,
    state,
    requests,
    created,
    ...(!Number.isNaN(ended) && { ended }),
    archived: typeof fields?.['archived_at'] === 'string',
  }
}

const states = ['in_progress', 'canceling', 'ended'] as const

function isState(state: unknown): state is Batch['state'] {
  return states.some((known) => known === state)
}

function answerFrom(line: string): BatchAnswer {
  let fields: Record<string, unknown> | null
  try {
    fields = JSON.parse(line) as Record<string, unknown> | null
  } catch {
    throw malformed('a line of the results is not JSON')
  }
  const { custom_id: id, result } = fields ?? {}
  const { type, message, error } = (result ?? {}) as Record<string, unknown>
  if (typeof id !== 'string') throw malformed('a line of the results has no custom_id')
  if (type === 'canceled' || type === 'expired') return { id, result: type }
  if (type === 'errored') return { id, result: { fault: faultIn(error) } }
  const reply = replyFrom(message, { headers: new Headers(), status: 200 })
  return { id, result: { reply: { ...reply, terms: { ...reply.terms, batch: true } } } }
}

/** An error body as a live request has it, but for the status, which follows from its type. */
function faultIn(body: unknown): Fault {
  const { error, request_id: requestId } = (body ?? {}) as Record<string, unknown>
  const { type, message, details } = (error ?? {}) as Record<string, unknown>
  const { error_code: code } = (details ?? {}) as Record<string, unknown>
  return {
    kind: 'status',
    status: statusOf.get(String(type)) ?? 500,
    type: typeof type === 'string' ? type : 'api_error',
    message: typeof message === 'string' ? message : 'an error without a message',
    ...(typeof code === 'string' && { code }),
    ...(typeof requestId === 'string' && { requestId }),
  }
}

/** @see https://platform.claude.com/docs/en/api/errors */
const statusOf: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])

function malformed(message: string): AskError {
  return new AskError({ kind: 'malformed', type: 'malformed_reply', message })
}
