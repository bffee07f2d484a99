import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { type ApiError, errorType, sendError } from './api-error.ts'
import type { Message } from './api-message.ts'
import { BodyError, requestsIn } from './batch-body.ts'
import { messageFor } from './build-message.ts'
import { seededRandom } from './random.ts'
import type { Behaviour, Script } from './script.ts'
import { hasLoneSurrogate, loneSurrogate, type MessageRequest, validate } from './validate.ts'

type BatchCall = 'create' | 'list' | 'retrieve' | 'results' | 'cancel' | 'delete'

/** What befalls a call: its answer is an error, is lost before or after the work, comes late, or ends after so many lines. */
export type BatchTrouble =
  | ApiError
  | { readonly lost: 'before' | 'after' }
  | { readonly lateMs: number }
  | { readonly cutAfter: number; readonly reset: boolean }

export interface BatchesOptions {
  /** How long a batch takes: milliseconds. */
  readonly takesMs?: number
  /** Asked about every call. */
  readonly trouble?: (call: BatchCall) => BatchTrouble | undefined
  /** What becomes of a request, instead of what the simulator's script says. */
  readonly resultOf?: (request: MessageRequest) => 'expired' | 'canceled' | undefined
  /** Changes the lines of the results before they are sent, without their line breaks. */
  readonly changeResults?: (lines: readonly string[]) => readonly string[]
  /** Whether results are gone by now. */
  readonly archived?: () => boolean
  /** Where results are said to be; here, if left out. */
  readonly resultsAt?: string
}

export interface BatchesSetting {
  readonly options: BatchesOptions
  readonly seed: number
  /** Decides about every request that is valid. */
  readonly script: Script
  readonly headers: () => Record<string, string>
  /** Told of every message, which is billed. */
  readonly produced: (request: MessageRequest, message: Message) => void
}

export interface BatchStats {
  /** Batches made, and requests in them. */
  readonly created: number
  readonly requests: number
  readonly calls: Readonly<Record<BatchCall, number>>
}

export interface SimulatedBatches {
  /** @returns false where the call is none of these */
  serve(path: string, incoming: IncomingMessage, response: ServerResponse): Promise<boolean>
  stats(): BatchStats
}

/** A batch, or a list of them, as the API shows it. */
type Shown = Readonly<Record<string, unknown>> & { readonly status?: never }

interface Item {
  readonly id: string
  /** The parameters as they came; gone once they were worked on. */
  params: Buffer | undefined
  /** A line of the results, but for its name. */
  result: object | undefined
}

interface Made {
  readonly id: string
  readonly created: number
  readonly items: Item[]
  canceled: number | undefined
  /** Once it has ended: its results are worked out. */
  settled: Promise<void> | undefined
}

const largestCount = 100_000
const largestBytes = 256_000_000
const dayMs = 86_400_000

/**
 * Message Batches, as strict as the API: names, sizes and shapes are checked when a batch is made, parameters only when
 * it is worked on; counts stay at zero until it has ended; results come in no order.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function createBatches({
  options,
  seed,
  script,
  headers,
  produced,
}: BatchesSetting): SimulatedBatches {
  const { takesMs = 1500, trouble, resultOf, changeResults, archived = () => false, resultsAt } = options
  const batches = new Map<string, Made>()
  const calls = { create: 0, list: 0, retrieve: 0, results: 0, cancel: 0, delete: 0 }
  let [created, requests, answered] = [0, 0, 0]

  const endOf = ({ created, canceled = Number.POSITIVE_INFINITY }: Made) =>
    Math.min(created + Math.min(takesMs, dayMs), canceled + 50)
  const isEnded = (batch: Made) => Date.now() >= endOf(batch)

  const work = (item: Item, isCanceled: boolean): object => {
    if (isCanceled) return { type: 'canceled' }
    if (takesMs > dayMs) return { type: 'expired' }
    const request = validate(parsed(item.params), 'messages')
    if ('status' in request) return errored(request.type, request.message)
    if (request.stream) return errored('invalid_request_error', 'stream: is not supported in batches')
    const result = resultOf?.(request)
    if (result !== undefined) return { type: result }
    const index = answered++
    const behaviour = script({ index, request })
    if (behaviour.kind === 'status')
      return errored(
        errorType(behaviour),
        behaviour.message ?? `simulated ${behaviour.status}`,
        behaviour.code,
      )
    const message = asInBatch(messageFor(request, index, behaviour.kind === 'answer' ? behaviour : {}))
    produced(request, message)
    return { type: 'succeeded', message }
  }
  /** Everything is worked on at the end, as nobody can tell; in turns, as others are served meanwhile. */
  const settle = (batch: Made) =>
    (batch.settled ??= (async () => {
      for (const [n, item] of batch.items.entries()) {
        if (n % 200 === 199) await turn()
        item.result = work(item, batch.canceled !== undefined && n % 2 === 1)
        item.params = undefined
      }
      shuffle(batch.items, seededRandom(seed + batches.size))
    })())

  const shown = async (batch: Made, host: string): Promise<Shown> => {
    const { id, canceled, items } = batch
    const ended = isEnded(batch)
    if (ended) await settle(batch)
    const counts = { processing: ended ? 0 : items.length, succeeded: 0, errored: 0, canceled: 0, expired: 0 }
    if (ended) for (const { result } of items) counts[typeOf(result)]++
    const time = (ms: number) => new Date(ms).toISOString()
    return {
      id,
      type: 'message_batch',
      processing_status: ended ? 'ended' : canceled === undefined ? 'in_progress' : 'canceling',
      request_counts: counts,
      created_at: time(batch.created),
      expires_at: time(batch.created + dayMs),
      ended_at: ended ? time(endOf(batch)) : null,
      cancel_initiated_at: canceled === undefined ? null : time(canceled),
      archived_at: archived() ? time(batch.created + 29 * dayMs) : null,
      results_url:
        ended && !archived() ? (resultsAt ?? `http://${host}/v1/messages/batches/${id}/results`) : null,
    }
  }

  const create = async (incoming: IncomingMessage): Promise<Made | ApiError> => {
    const items: Item[] = []
    const ids = new Set<string>()
    let bytes = 0
    async function* counted() {
      for await (const chunk of incoming) {
        bytes += (chunk as Buffer).length
        if (bytes > largestBytes) throw new BodyError('too large')
        yield chunk as Buffer
      }
    }
    try {
      for await (const element of requestsIn(counted())) {
        const item = parsed(element)
        if (hasLoneSurrogate(item)) return invalid(loneSurrogate)
        const { custom_id: id, params, ...more } = item as Record<string, unknown>
        const at = `requests.${items.length}`
        const [extra] = Object.keys(more)
        if (extra !== undefined) return invalid(`${at}.${extra}: Extra inputs are not permitted`)
        if (typeof id !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(id))
          return invalid(`${at}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`)
        if (ids.has(id)) return invalid(`${at}.custom_id: duplicate ${id}`)
        if (typeof params !== 'object' || params === null || Array.isArray(params))
          return invalid(`${at}.params: Field required`)
        if (items.length === largestCount) return invalid(`requests: at most ${largestCount} are allowed`)
        ids.add(id)
        items.push({ id, params: Buffer.from(JSON.stringify(params)), result: undefined })
      }
    } catch (error) {
      // Whoever still sends must be read to the end, or never hears why.
      incoming.resume()
      if (bytes > largestBytes) return { status: 413, message: 'Request exceeds the maximum size' }
      if (error instanceof BodyError || error instanceof SyntaxError) return invalid(error.message)
      throw error
    }
    if (items.length === 0) return invalid('requests: List should have at least 1 item')
    const id = `msgbatch_sim${String(++created).padStart(8, '0')}`
    const batch = { id, created: Date.now(), items, canceled: undefined, settled: undefined }
    batches.set(id, batch)
    requests += items.length
    return batch
  }

  const sendResults = async (
    response: ServerResponse,
    { items }: Made,
    cut?: { cutAfter: number; reset: boolean },
  ) => {
    response.writeHead(200, { ...headers(), 'content-type': 'application/x-jsonl' })
    let n = 0
    for (const line of changeResults?.([...linesOf(items)]) ?? linesOf(items)) {
      if (n++ === cut?.cutAfter) {
        if (!cut.reset) break
        response.write('{"custom_id":"to')
        await turn()
        response.socket?.resetAndDestroy()
        return
      }
      if (!response.write(`${line}\n`)) await once(response, 'drain')
    }
    response.end()
  }

  return {
    stats: () => ({ created, requests, calls: { ...calls } }),
    async serve(path, incoming, response) {
      const call = callOf(incoming.method, path)
      if (call === undefined) return false
      calls[call.name]++
      const fail = (error: ApiError) => sendError(response, headers(), error)
      const send = (body: unknown) => {
        response.writeHead(200, { ...headers(), 'content-type': 'application/json' })
        response.end(JSON.stringify(body))
      }
      const host = incoming.headers.host ?? ''
      const happens = trouble?.(call.name)
      if (happens !== undefined && 'status' in happens) {
        incoming.resume()
        fail(happens)
        return true
      }
      if (happens !== undefined && 'lost' in happens && happens.lost === 'before') {
        incoming.socket.resetAndDestroy()
        return true
      }
      const answer = async (): Promise<ApiError | Shown> => {
        if (call.name === 'create') {
          const made = await create(incoming)
          return 'status' in made ? made : shown(made, host)
        }
        if (call.name === 'list') return listed(incoming.url ?? '', batches, (batch) => shown(batch, host))
        const batch = batches.get(call.id)
        if (batch === undefined) return { status: 404, message: `message batch ${call.id} not found` }
        if (call.name === 'delete') {
          if (!isEnded(batch)) return invalid('a batch that has not ended cannot be deleted; cancel it first')
          batches.delete(batch.id)
          return { id: batch.id, type: 'message_batch_deleted' }
        }
        if (call.name === 'cancel') {
          if (isEnded(batch)) return invalid('the batch has ended and cannot be canceled')
          batch.canceled ??= Date.now()
        }
        return shown(batch, host)
      }
      if (call.name === 'results') {
        const batch = batches.get(call.id)
        if (batch === undefined || !isEnded(batch) || archived())
          fail({ status: 404, message: `no results of message batch ${call.id}` })
        else {
          await settle(batch)
          await sendResults(
            response,
            batch,
            happens !== undefined && 'cutAfter' in happens ? happens : undefined,
          )
        }
        return true
      }
      const body = await answer()
      if (happens !== undefined && 'lateMs' in happens) await delay(happens.lateMs)
      if (happens !== undefined && 'lost' in happens) response.socket?.resetAndDestroy()
      else if (body.status !== undefined) fail(body)
      else send(body)
      return true
    },
  }
}

function* linesOf(items: readonly Item[]): Generator<string> {
  for (const { id, result } of items) yield JSON.stringify({ custom_id: id, result })
}

/** What a rate of faults does to calls: those that are errors or break off. */
export function troubleFrom(behaviour: Behaviour): BatchTrouble | undefined {
  if (behaviour.kind === 'status') return behaviour
  if (behaviour.kind === 'reset') return { lost: behaviour.inBody ? 'after' : 'before' }
  if (behaviour.kind === 'truncate') return { cutAfter: 1, reset: false }
  return undefined
}

function callOf(
  method: string | undefined,
  path: string,
): { readonly name: BatchCall; readonly id: string } | undefined {
  const [, id = '', part = ''] = /^\/v1\/messages\/batches(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? []
  const key = `${method} ${id === '' ? '' : 'id'}${part === '' ? '' : `/${part}`}`
  const name = names[key]
  return path.startsWith('/v1/messages/batches') && name !== undefined ? { name, id } : undefined
}

const names: Readonly<Record<string, BatchCall>> = {
  'POST ': 'create',
  'GET ': 'list',
  'GET id': 'retrieve',
  'GET id/results': 'results',
  'POST id/cancel': 'cancel',
  'DELETE id': 'delete',
}

/** The newest first. */
async function listed(
  url: string,
  batches: ReadonlyMap<string, Made>,
  shown: (batch: Made) => Promise<Shown>,
): Promise<ApiError | Shown> {
  const query = new URL(url, 'http://simulator').searchParams
  const limit = Number(query.get('limit') ?? 20)
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 1000))
    return invalid('limit: Input should be from 1 to 1000')
  const all = [...batches.values()].reverse()
  const place = (name: string) => all.findIndex(({ id }) => id === query.get(name))
  for (const name of ['after_id', 'before_id'])
    if (query.has(name) && place(name) < 0) return invalid(`${name}: no such batch`)
  const until = query.has('before_id') ? place('before_id') : all.length
  const from = query.has('before_id') ? Math.max(0, until - limit) : place('after_id') + 1
  const page = all.slice(from, Math.min(until, from + limit))
  return {
    data: await Promise.all(page.map(shown)),
    has_more: query.has('before_id') ? from > 0 : from + limit < all.length,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  }
}

function asInBatch(message: Message): Message {
  const { usage } = message
  return typeof usage === 'object' ? { ...message, usage: { ...usage, service_tier: 'batch' } } : message
}

function errored(type: string, message: string, code?: string): object {
  const details = code !== undefined && { details: { error_code: code } }
  return { type: 'errored', error: { type: 'error', error: { type, message, ...details }, request_id: null } }
}

function typeOf(result: object | undefined): 'succeeded' | 'errored' | 'canceled' | 'expired' {
  return (result as { type: 'succeeded' }).type
}

function invalid(message: string): ApiError {
  return { status: 400, message }
}

function parsed(bytes: Buffer | undefined): unknown {
  return JSON.parse((bytes ?? Buffer.from('null')).toString('utf8'))
}

function shuffle(items: unknown[], random: () => number): void {
  for (let n = items.length - 1; n > 0; n--) {
    const other = Math.floor(random() * (n + 1))
    ;[items[n], items[other]] = [items[other], items[n]]
  }
}
