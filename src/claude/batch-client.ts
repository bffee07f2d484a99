import type { APIPromise, BaseAnthropic } from '@anthropic-ai/sdk'
import { type Batch, isBatchId } from '../core/batch/batch.ts'
import type { BatchApi } from '../core/batch/batch-api.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { Request } from '../core/request/request.ts'
import { maxLineChars, parseBatchResultLine } from './parse-batch-result.ts'
import { readJsonLines } from './read-json-lines.ts'
import { readJsonBody } from './read-message.ts'
import { toFields } from './wire-values.ts'

export interface BatchApiOptions {
  readonly anthropic: BaseAnthropic
  /** The base URL that is asked. */
  readonly baseUrl: string
  /** Between two signs of life of a transfer: milliseconds. */
  readonly idleTimeoutMs: number
  /** For bodies of hundreds of megabytes, both ways. */
  readonly dispatcher: () => Promise<unknown>
  /** Does something under a deadline, in milliseconds, which it may renew, and turns what goes wrong into an `AskError`. */
  readonly runWithDeadline: <T>(
    signal: AbortSignal,
    work: (signal: AbortSignal, renew: (ms: number) => void) => Promise<T>,
    ms?: number,
  ) => Promise<T>
  /** What went wrong on the way. */
  readonly toAskError: (error: unknown) => AskError
  /** The time by this machine's clock: milliseconds since 1970. */
  readonly wallClock: () => number
  /** As the Messages API takes it. */
  readonly toParams: (request: Request) => object
}

const batchesPath = '/v1/messages/batches'

/**
 * The Message Batches API. The SDK's own methods would hold a whole body in memory, and send the credentials wherever
 * a `results_url` points.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function createBatchApi(options: BatchApiOptions): BatchApi {
  const { anthropic, baseUrl, idleTimeoutMs, dispatcher, toAskError, wallClock, toParams } = options
  const within: BatchApiOptions['runWithDeadline'] = (signal, work, ms) =>
    options.runWithDeadline(signal, work, ms).catch((error: unknown) => {
      throw markAsBatchError(error)
    })
  const bulkOptions = async () => ({
    fetchOptions: { dispatcher: await dispatcher() } as never,
    timeout: maxTransferMs,
  })
  const readBatch = async (promise: APIPromise<unknown>) =>
    parseBatch(await readJsonBody(await promise.asResponse()))
  const retrieve = (id: string, signal: AbortSignal) =>
    within(signal, (signal) =>
      readBatch(anthropic.get(`${batchesPath}/${encodeURIComponent(id)}`, { signal })),
    )

  return {
    formatEntry: (id, request) => JSON.stringify({ custom_id: id, params: toParams(request) }),
    create: (body, signal) => {
      const headers = { 'content-type': 'application/json' }
      const send = async (signal: AbortSignal, renew: (ms: number) => void) => {
        const renewingBody = ReadableStream.from(withRenewal(body, idleTimeoutMs, renew))
        return readBatch(
          anthropic.post(batchesPath, { body: renewingBody, headers, signal, ...(await bulkOptions()) }),
        )
      }
      return within(signal, send, idleTimeoutMs)
    },
    retrieve,
    listSince: (time, signal) =>
      within(signal, async (signal, renew) => {
        const found = new Map<string, Batch>()
        let afterId: string | undefined
        for (let pages = 0; pages < maxPages; pages++) {
          if (pages > 0) renew(idleTimeoutMs)
          const query = { limit: 100, ...(afterId !== undefined && { after_id: afterId }) }
          const response = await anthropic.get(batchesPath, { query, signal }).asResponse()
          const page = toFields(await readJsonBody(response))
          if (!Array.isArray(page['data']))
            throw malformedReplyError('the answer is not a list of batches of the Message Batches API')
          const batches = page['data'].map(parseBatch)
          const clockAheadMs = wallClock() - Date.parse(response.headers.get('date') ?? '')
          // The newest come first. Where this machine's clock is ahead, all of them seem too old.
          const earliest = clockAheadMs > 0 ? time - clockAheadMs : time
          const recent = batches.filter(({ createdAt }) => createdAt >= earliest)
          const sizeBefore = found.size
          for (const batch of recent) found.set(batch.id, batch)
          if (recent.length < batches.length || page['has_more'] !== true || recent.length === 0)
            return { batches: [...found.values()], isComplete: true }
          // A gateway that ignores `after_id` answers with the same page for ever.
          if (found.size === sizeBefore) break
          afterId = recent.at(-1)?.id
        }
        return { batches: [...found.values()], isComplete: false }
      }),
    cancel: (id, signal) =>
      within(signal, (signal) =>
        readBatch(anthropic.post(`${batchesPath}/${encodeURIComponent(id)}/cancel`, { signal })),
      ),
    async *fetchResults(id, signal) {
      const batchPath = `${batchesPath}/${encodeURIComponent(id)}`
      await within(signal, async (signal) =>
        rejectForeignResultsUrl(
          await readJsonBody(await anthropic.get(batchPath, { signal }).asResponse()),
          baseUrl,
        ),
      )
      const transferController = new AbortController()
      const abortTransfer = () => transferController.abort()
      signal.addEventListener('abort', abortTransfer, { once: true })
      try {
        const requestResults = async () =>
          anthropic
            .get(`${batchPath}/results`, { signal: transferController.signal, ...(await bulkOptions()) })
            .asResponse()
        // Only the beginning has this deadline: the whole may take as long as it takes, and the dispatcher ends a
        // transfer that falls silent.
        const { body } = await within(
          signal,
          async (deadline) => {
            deadline.addEventListener('abort', abortTransfer, { once: true })
            return requestResults()
          },
          idleTimeoutMs,
        )
        for await (const line of readJsonLines(body ?? [], maxLineChars)) yield parseBatchResultLine(line)
      } catch (error) {
        signal.throwIfAborted()
        throw markAsBatchError(error instanceof AskError ? error : toAskError(error))
      } finally {
        signal.removeEventListener('abort', abortTransfer)
      }
    },
  }
}

/** 256 MB take half an hour at a megabit per second. */
const maxTransferMs = 3_600_000

/** Of 100 batches each. */
const maxPages = 100

/** What may be on its way to the server when the last piece was handed over: bytes. */
const maxBufferedBytes = 8_000_000

/** A megabit per second: bytes per millisecond. */
const minUploadBytesPerMs = 125

/** The pieces of a body, each of which renews the deadline. When the last is handed over, some are still in buffers. */
async function* withRenewal(
  body: AsyncIterable<Uint8Array>,
  idleTimeoutMs: number,
  renew: (ms: number) => void,
): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const piece of body) {
    yield piece
    sent += piece.length
    renew(idleTimeoutMs + piece.length / minUploadBytesPerMs)
  }
  renew(idleTimeoutMs + Math.min(sent, maxBufferedBytes) / minUploadBytesPerMs)
}

/** So that advice is about batches, and not about a model. */
function markAsBatchError(error: unknown): unknown {
  if (!(error instanceof AskError)) return error
  return new AskError({ ...error.requestError, operation: 'batches' }, error.attempts, error.retryPlan)
}

/** A batch says where its results are. They are fetched from the base URL all the same: credentials go nowhere else. */
function rejectForeignResultsUrl(batch: unknown, endpoint: string): void {
  const { results_url: url } = toFields(batch)
  if (typeof url !== 'string' || !URL.canParse(url)) return
  if (new URL(url).host !== new URL(endpoint).host)
    throw new AskError({
      kind: 'malformed',
      type: 'foreign_results',
      message: `the API says that the results are at ${new URL(url).host}, where no credentials are sent`,
    })
}

function parseBatch(body: unknown): Batch {
  const fields = toFields(body)
  const { id, processing_status: state, request_counts: counts } = fields
  const createdAt = parseTime(fields['created_at'])
  const endedAt = parseTime(fields['ended_at'])
  if (!isBatchId(id) || typeof state !== 'string' || Number.isNaN(createdAt))
    throw malformedReplyError('the answer is not a batch of the Message Batches API')
  const requests = Object.values(toFields(counts)).filter((count) => typeof count === 'number')
  return {
    id,
    // A state that is not known yet is not the end.
    state: isState(state) ? state : 'in_progress',
    ...(requests.length > 0 && { requestCount: requests.reduce((sum, count) => sum + count, 0) }),
    createdAt,
    ...(!Number.isNaN(endedAt) && { endedAt }),
    isArchived: typeof fields['archived_at'] === 'string',
  }
}

/** Milliseconds since 1970; NaN for what is no time. */
function parseTime(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : Number.NaN
}

const states = ['in_progress', 'canceling', 'ended'] as const

function isState(state: string): state is Batch['state'] {
  return states.some((known) => known === state)
}

function malformedReplyError(message: string): AskError {
  return new AskError({ kind: 'malformed', type: 'malformed_reply', message })
}
