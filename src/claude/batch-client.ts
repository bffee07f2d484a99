import { createHash } from 'node:crypto'
import { type Batch, isBatchId } from '../core/batch/batch.ts'
import type { BatchApi } from '../core/batch/batch-api.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { Request } from '../core/request/request.ts'
import { maxLineChars, parseBatchResultLine } from './parse-batch-result.ts'
import { readJsonLines } from './read-json-lines.ts'
import { readJsonBody } from './read-message.ts'
import type { PendingResponse, SdkClient } from './sdk-client.ts'
import { toFields } from './wire-values.ts'

export interface BatchApiOptions {
  readonly anthropic: SdkClient
  /** The base URL in use. */
  readonly baseUrl: string
  /** The longest time without a byte during a transfer, in milliseconds. */
  readonly idleTimeoutMs: number
  /** Returns the dispatcher for requests and responses of hundreds of megabytes. */
  readonly dispatcher: () => Promise<unknown>
  /**
   * Runs `work` with a deadline of `ms` milliseconds, which it may renew. Turns errors into an `AskError`.
   */
  readonly runWithDeadline: <T>(
    signal: AbortSignal,
    work: (signal: AbortSignal, renew: (ms: number) => void) => Promise<T>,
    ms?: number,
  ) => Promise<T>
  /** Converts an error during a transfer. */
  readonly toAskError: (error: unknown) => AskError
  /** Returns the time of this machine's clock, in milliseconds since 1970. */
  readonly wallClock: () => number
  /** Returns the parameters of a request as the Messages API expects them. */
  readonly toParams: (request: Request) => object
}

const batchesPath = '/v1/messages/batches'

/**
 * Returns the client of the Message Batches API. The SDK's own methods are not used: they would keep whole
 * bodies in memory, and send the credentials to any host that a `results_url` names.
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
  const readBatch = async (promise: PendingResponse) =>
    parseBatch(await readJsonBody(await promise.asResponse()))
  const retrieve = (id: string, signal: AbortSignal) =>
    within(signal, (signal) =>
      readBatch(anthropic.get(`${batchesPath}/${encodeURIComponent(id)}`, { signal })),
    )

  return {
    formatEntry: (id, request) => JSON.stringify({ custom_id: id, params: toParams(request) }),
    create: (body, signal) => {
      const send = async (signal: AbortSignal, renew: (ms: number) => void) => {
        const { chunks, hashHeaders } = anthropic.signsBodies
          ? await collectAndHash(body)
          : { chunks: body, hashHeaders: {} }
        const headers = { 'content-type': 'application/json', ...hashHeaders }
        const renewingBody = ReadableStream.from(withRenewal(chunks, idleTimeoutMs, renew))
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
          // The API lists the newest batches first. If this machine's clock is ahead, every batch seems too
          // old.
          const earliest = clockAheadMs > 0 ? time - clockAheadMs : time
          const recent = batches.filter(({ createdAt }) => createdAt >= earliest)
          const sizeBefore = found.size
          for (const batch of recent) found.set(batch.id, batch)
          if (recent.length < batches.length || page['has_more'] !== true || recent.length === 0)
            return { batches: [...found.values()], isComplete: true }
          // A gateway that ignores `after_id` returns the same page again and again.
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
        // Only the response headers have this deadline. The whole download has no time limit; the dispatcher
        // ends an idle transfer.
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

/** Uploading 256 MB takes half an hour at 1 Mbit/s. */
const maxTransferMs = 3_600_000

/** Each page has 100 batches. */
const maxPages = 100

/** The number of bytes that may still be in buffers when the last chunk was handed over. */
const maxBufferedBytes = 8_000_000

/** 1 Mbit/s, in bytes per millisecond. */
const minUploadBytesPerMs = 125

/**
 * Yields the chunks of a body and renews the deadline after each. After the last chunk, some bytes are still
 * in buffers.
 */
async function* withRenewal(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  idleTimeoutMs: number,
  renew: (ms: number) => void,
): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const chunk of body) {
    yield chunk
    sent += chunk.length
    renew(idleTimeoutMs + chunk.length / minUploadBytesPerMs)
  }
  renew(idleTimeoutMs + Math.min(sent, maxBufferedBytes) / minUploadBytesPerMs)
}

/**
 * Reads a body into memory, and returns the header with its hash. A signature covers the body, and comes before it.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
async function collectAndHash(body: AsyncIterable<Uint8Array>) {
  const chunks: Uint8Array[] = []
  const sha256 = createHash('sha256')
  for await (const chunk of body) {
    chunks.push(chunk)
    sha256.update(chunk)
  }
  return { chunks, hashHeaders: { 'x-amz-content-sha256': sha256.digest('hex') } }
}

/** Marks an error as one of the Batches API, so that its hint is about batches and not about a model. */
function markAsBatchError(error: unknown): unknown {
  if (!(error instanceof AskError)) return error
  return error.with({ requestError: { ...error.requestError, operation: 'batches' } })
}

/**
 * Rejects a batch whose `results_url` points to another host. Results are fetched only from the base URL,
 * because credentials must go nowhere else.
 * @throws AskError
 */
function rejectForeignResultsUrl(batch: unknown, baseUrl: string): void {
  const { results_url: url } = toFields(batch)
  if (typeof url !== 'string' || !URL.canParse(url)) return
  if (new URL(url).host !== new URL(baseUrl).host)
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
    // An unknown state does not mean that the batch has ended.
    state: isState(state) ? state : 'in_progress',
    ...(requests.length > 0 && { requestCount: requests.reduce((sum, count) => sum + count, 0) }),
    createdAt,
    ...(!Number.isNaN(endedAt) && { endedAt }),
    isArchived: typeof fields['archived_at'] === 'string',
  }
}

/** Returns milliseconds since 1970, or NaN if the value is not a time. */
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
