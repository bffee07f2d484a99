import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay, setImmediate as yieldToEventLoop } from 'node:timers/promises'
import { type ApiError, findErrorType, sendError } from './api-error.ts'
import type { Message } from './api-message.ts'
import { BodyError, splitRequests } from './batch-body.ts'
import { createMessage } from './create-message.ts'
import type { Behaviour, Script } from './script.ts'
import { createSeededRandom } from './seeded-random.ts'
import {
  hasLoneSurrogate,
  loneSurrogateMessage,
  type MessageRequest,
  validateRequest,
} from './validate-request.ts'

type BatchCall = 'create' | 'list' | 'retrieve' | 'results' | 'cancel' | 'delete'

/** What befalls a call: its answer is an error, is lost before or after the work, comes late, or ends after so many lines. */
export type BatchFault =
  | ApiError
  | { readonly lost: 'before' | 'after' }
  | { readonly lateMs: number }
  | { readonly cutAfter: number; readonly reset: boolean }

export interface SimulatedBatchesOptions {
  /** How long a batch takes: milliseconds. */
  readonly durationMs?: number
  /** Asked about every call. */
  readonly chooseFault?: (call: BatchCall) => BatchFault | undefined
  /** What becomes of a request, instead of what the simulator's script says. */
  readonly chooseResult?: (request: MessageRequest) => 'expired' | 'canceled' | undefined
  /** Changes the lines of the results before they are sent, without their line breaks. */
  readonly changeResults?: (lines: readonly string[]) => readonly string[]
  /** Whether results are gone by now. */
  readonly isArchived?: () => boolean
  /** Where results are said to be; here, if left out. */
  readonly resultsUrl?: string
}

export interface SimulatedBatchesContext {
  readonly options: SimulatedBatchesOptions
  readonly seed: number
  /** Decides about every request that is valid. */
  readonly script: Script
  readonly headers: () => Record<string, string>
  /** Told of every message, which is billed. */
  readonly onMessage: (request: MessageRequest, message: Message) => void
}

export interface BatchStats {
  /** Batches made, and requests in them. */
  readonly created: number
  readonly requests: number
  readonly calls: Readonly<Record<BatchCall, number>>
}

export interface SimulatedBatches {
  /** @returns false where the call is none of these */
  handle(path: string, incoming: IncomingMessage, response: ServerResponse): Promise<boolean>
  stats(): BatchStats
}

/** A batch, or a list of them, as the API shows it. */
type BatchJson = Readonly<Record<string, unknown>> & { readonly status?: never }

interface Item {
  readonly id: string
  /** The parameters as they came; gone once they were worked on. */
  params: Buffer | undefined
  /** A line of the results, but for its name. */
  result: object | undefined
}

interface SimulatedBatch {
  readonly id: string
  readonly createdAt: number
  readonly items: Item[]
  canceledAt: number | undefined
  /** Once it has ended: its results are worked out. */
  processing: Promise<void> | undefined
}

const maxRequests = 100_000
const maxBodyBytes = 256_000_000
const dayMs = 86_400_000

/**
 * Message Batches, as strict as the API: names, sizes and shapes are checked when a batch is made, parameters only when
 * it is worked on; counts stay at zero until it has ended; results come in no order.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function createSimulatedBatches({
  options,
  seed,
  script,
  headers,
  onMessage,
}: SimulatedBatchesContext): SimulatedBatches {
  const {
    durationMs = 1500,
    chooseFault,
    chooseResult,
    changeResults,
    isArchived = () => false,
    resultsUrl,
  } = options
  const batches = new Map<string, SimulatedBatch>()
  const calls = { create: 0, list: 0, retrieve: 0, results: 0, cancel: 0, delete: 0 }
  let [batchCount, requestCount, processedCount] = [0, 0, 0]

  const computeEnd = ({
    createdAt: created,
    canceledAt: canceled = Number.POSITIVE_INFINITY,
  }: SimulatedBatch) => Math.min(created + Math.min(durationMs, dayMs), canceled + 50)
  const isEnded = (batch: SimulatedBatch) => Date.now() >= computeEnd(batch)

  const processItem = (item: Item, isCanceled: boolean): object => {
    if (isCanceled) return { type: 'canceled' }
    if (durationMs > dayMs) return { type: 'expired' }
    const request = validateRequest(parseJson(item.params), 'messages')
    if ('status' in request) return toErroredResult(request.type, request.message)
    if (request.stream) return toErroredResult('invalid_request_error', 'stream: is not supported in batches')
    const result = chooseResult?.(request)
    if (result !== undefined) return { type: result }
    const index = processedCount++
    const behaviour = script({ index, request })
    if (behaviour.kind === 'status')
      return toErroredResult(
        findErrorType(behaviour),
        behaviour.message ?? `simulated ${behaviour.status}`,
        behaviour.code,
      )
    const message = withBatchTier(createMessage(request, index, behaviour.kind === 'answer' ? behaviour : {}))
    onMessage(request, message)
    return { type: 'succeeded', message }
  }
  /** Everything is worked on at the end, as nobody can tell; in turns, as others are served meanwhile. */
  const processBatch = (batch: SimulatedBatch) =>
    (batch.processing ??= (async () => {
      for (const [n, item] of batch.items.entries()) {
        if (n % 200 === 199) await yieldToEventLoop()
        item.result = processItem(item, batch.canceledAt !== undefined && n % 2 === 1)
        item.params = undefined
      }
      shuffle(batch.items, createSeededRandom(seed + batches.size))
    })())

  const toJson = async (batch: SimulatedBatch, host: string): Promise<BatchJson> => {
    const { id, canceledAt: canceled, items } = batch
    const ended = isEnded(batch)
    if (ended) await processBatch(batch)
    const counts = { processing: ended ? 0 : items.length, succeeded: 0, errored: 0, canceled: 0, expired: 0 }
    if (ended) for (const { result } of items) counts[readResultType(result)]++
    const time = (ms: number) => new Date(ms).toISOString()
    return {
      id,
      type: 'message_batch',
      processing_status: ended ? 'ended' : canceled === undefined ? 'in_progress' : 'canceling',
      request_counts: counts,
      created_at: time(batch.createdAt),
      expires_at: time(batch.createdAt + dayMs),
      ended_at: ended ? time(computeEnd(batch)) : null,
      cancel_initiated_at: canceled === undefined ? null : time(canceled),
      archived_at: isArchived() ? time(batch.createdAt + 29 * dayMs) : null,
      results_url:
        ended && !isArchived() ? (resultsUrl ?? `http://${host}/v1/messages/batches/${id}/results`) : null,
    }
  }

  const createBatch = async (incoming: IncomingMessage): Promise<SimulatedBatch | ApiError> => {
    const items: Item[] = []
    const ids = new Set<string>()
    let bytes = 0
    async function* countBytes() {
      for await (const chunk of incoming) {
        bytes += (chunk as Buffer).length
        if (bytes > maxBodyBytes) throw new BodyError('too large')
        yield chunk as Buffer
      }
    }
    try {
      for await (const element of splitRequests(countBytes())) {
        const item = parseJson(element)
        if (hasLoneSurrogate(item)) return invalidRequestError(loneSurrogateMessage)
        const { custom_id: id, params, ...more } = item as Record<string, unknown>
        const where = `requests.${items.length}`
        const [extra] = Object.keys(more)
        if (extra !== undefined)
          return invalidRequestError(`${where}.${extra}: Extra inputs are not permitted`)
        if (typeof id !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(id))
          return invalidRequestError(
            `${where}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`,
          )
        if (ids.has(id)) return invalidRequestError(`${where}.custom_id: duplicate ${id}`)
        if (typeof params !== 'object' || params === null || Array.isArray(params))
          return invalidRequestError(`${where}.params: Field required`)
        if (items.length === maxRequests)
          return invalidRequestError(`requests: at most ${maxRequests} are allowed`)
        ids.add(id)
        items.push({ id, params: Buffer.from(JSON.stringify(params)), result: undefined })
      }
    } catch (error) {
      // Whoever still sends must be read to the end, or never hears why.
      incoming.resume()
      if (bytes > maxBodyBytes) return { status: 413, message: 'Request exceeds the maximum size' }
      if (error instanceof BodyError || error instanceof SyntaxError)
        return invalidRequestError(error.message)
      throw error
    }
    if (items.length === 0) return invalidRequestError('requests: List should have at least 1 item')
    const id = `msgbatch_sim${String(++batchCount).padStart(8, '0')}`
    const batch = { id, createdAt: Date.now(), items, canceledAt: undefined, processing: undefined }
    batches.set(id, batch)
    requestCount += items.length
    return batch
  }

  const sendResults = async (
    response: ServerResponse,
    { items }: SimulatedBatch,
    cut?: { cutAfter: number; reset: boolean },
  ) => {
    response.writeHead(200, { ...headers(), 'content-type': 'application/x-jsonl' })
    let n = 0
    for (const line of changeResults?.([...formatResultLines(items)]) ?? formatResultLines(items)) {
      if (n++ === cut?.cutAfter) {
        if (!cut.reset) break
        response.write('{"custom_id":"to')
        await yieldToEventLoop()
        response.socket?.resetAndDestroy()
        return
      }
      if (!response.write(`${line}\n`)) await once(response, 'drain')
    }
    response.end()
  }

  return {
    stats: () => ({ created: batchCount, requests: requestCount, calls: { ...calls } }),
    async handle(path, incoming, response) {
      const call = parseCall(incoming.method, path)
      if (call === undefined) return false
      calls[call.name]++
      const fail = (error: ApiError) => sendError(response, headers(), error)
      const send = (body: unknown) => {
        response.writeHead(200, { ...headers(), 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      }
      const host = incoming.headers.host ?? ''
      const fault = chooseFault?.(call.name)
      if (fault !== undefined && 'status' in fault) {
        incoming.resume()
        fail(fault)
        return true
      }
      if (fault !== undefined && 'lost' in fault && fault.lost === 'before') {
        incoming.socket.resetAndDestroy()
        return true
      }
      const runCall = async (): Promise<ApiError | BatchJson> => {
        if (call.name === 'create') {
          const made = await createBatch(incoming)
          return 'status' in made ? made : toJson(made, host)
        }
        if (call.name === 'list')
          return listBatches(incoming.url ?? '', batches, (batch) => toJson(batch, host))
        const batch = batches.get(call.id)
        if (batch === undefined) return { status: 404, message: `message batch ${call.id} not found` }
        if (call.name === 'delete') {
          if (!isEnded(batch))
            return invalidRequestError('a batch that has not ended cannot be deleted; cancel it first')
          batches.delete(batch.id)
          return { id: batch.id, type: 'message_batch_deleted' }
        }
        if (call.name === 'cancel') {
          if (isEnded(batch)) return invalidRequestError('the batch has ended and cannot be canceled')
          batch.canceledAt ??= Date.now()
        }
        return toJson(batch, host)
      }
      if (call.name === 'results') {
        const batch = batches.get(call.id)
        if (batch === undefined || !isEnded(batch) || isArchived())
          fail({ status: 404, message: `no results of message batch ${call.id}` })
        else {
          await processBatch(batch)
          await sendResults(response, batch, fault !== undefined && 'cutAfter' in fault ? fault : undefined)
        }
        return true
      }
      const body = await runCall()
      if (fault !== undefined && 'lateMs' in fault) await delay(fault.lateMs)
      if (fault !== undefined && 'lost' in fault) response.socket?.resetAndDestroy()
      else if (body.status !== undefined) fail(body)
      else send(body)
      return true
    },
  }
}

function* formatResultLines(items: readonly Item[]): Generator<string> {
  for (const { id, result } of items) yield JSON.stringify({ custom_id: id, result })
}

/** What a rate of faults does to calls: those that are errors or break off. */
export function toBatchFault(behaviour: Behaviour): BatchFault | undefined {
  if (behaviour.kind === 'status') return behaviour
  if (behaviour.kind === 'reset') return { lost: behaviour.inBody ? 'after' : 'before' }
  if (behaviour.kind === 'truncate') return { cutAfter: 1, reset: false }
  return undefined
}

function parseCall(
  method: string | undefined,
  path: string,
): { readonly name: BatchCall; readonly id: string } | undefined {
  const [, id = '', part = ''] = /^\/v1\/messages\/batches(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? []
  const key = `${method} ${id === '' ? '' : 'id'}${part === '' ? '' : `/${part}`}`
  const name = callsByRoute[key]
  return path.startsWith('/v1/messages/batches') && name !== undefined ? { name, id } : undefined
}

const callsByRoute: Readonly<Record<string, BatchCall>> = {
  'POST ': 'create',
  'GET ': 'list',
  'GET id': 'retrieve',
  'GET id/results': 'results',
  'POST id/cancel': 'cancel',
  'DELETE id': 'delete',
}

/** The newest first. */
async function listBatches(
  url: string,
  batches: ReadonlyMap<string, SimulatedBatch>,
  toJson: (batch: SimulatedBatch) => Promise<BatchJson>,
): Promise<ApiError | BatchJson> {
  const query = new URL(url, 'http://simulator').searchParams
  const limit = Number(query.get('limit') ?? 20)
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 1000))
    return invalidRequestError('limit: Input should be from 1 to 1000')
  const all = [...batches.values()].reverse()
  const findIndex = (name: string) => all.findIndex(({ id }) => id === query.get(name))
  for (const name of ['after_id', 'before_id'])
    if (query.has(name) && findIndex(name) < 0) return invalidRequestError(`${name}: no such batch`)
  const until = query.has('before_id') ? findIndex('before_id') : all.length
  const from = query.has('before_id') ? Math.max(0, until - limit) : findIndex('after_id') + 1
  const page = all.slice(from, Math.min(until, from + limit))
  return {
    data: await Promise.all(page.map(toJson)),
    has_more: query.has('before_id') ? from > 0 : from + limit < all.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  }
}

function withBatchTier(message: Message): Message {
  const { usage } = message
  return typeof usage === 'object' ? { ...message, usage: { ...usage, service_tier: 'batch' } } : message
}

function toErroredResult(type: string, message: string, code?: string): object {
  const details = code !== undefined && { details: { error_code: code } }
  return { type: 'errored', error: { type: 'error', error: { type, message, ...details }, request_id: null } }
}

function readResultType(result: object | undefined): 'succeeded' | 'errored' | 'canceled' | 'expired' {
  return (result as { type: 'succeeded' }).type
}

function invalidRequestError(message: string): ApiError {
  return { status: 400, message }
}

function parseJson(bytes: Buffer | undefined): unknown {
  return JSON.parse((bytes ?? Buffer.from('null')).toString('utf8'))
}

function shuffle(items: unknown[], random: () => number): void {
  for (let n = items.length - 1; n > 0; n--) {
    const other = Math.floor(random() * (n + 1))
    ;[items[n], items[other]] = [items[other], items[n]]
  }
}
