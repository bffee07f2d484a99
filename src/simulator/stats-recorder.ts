import { hash } from 'node:crypto'
import type { Message } from './api-message.ts'
import { countOutputTokens } from './create-message.ts'
import type { BatchStats } from './simulated-batches.ts'
import type { MessageRequest } from './validate-request.ts'

/** The requests that the simulator received and the usage that it would bill. */
export interface SimulatorStats {
  readonly requests: number
  readonly byStatus: ReadonlyMap<number, number>
  /** Opened sockets. */
  readonly connections: number
  readonly inFlight: number
  readonly maxInFlight: number
  /** Requests whose client hung up early. */
  readonly aborted: number
  readonly billed: Billed
  /** Arrival times of each `POST /v1/messages`: monotonic milliseconds since the start. */
  readonly requestTimes: readonly number[]
  readonly batches: BatchStats
  /** Usage of batch requests, at half the price; not included in `billed`. */
  readonly batchBilled: Billed
  /** How often each prompt was billed, live or in a batch, by the same key as `prompts`. */
  readonly billedPrompts: ReadonlyMap<string, number>
  /** How often each prompt was sent, by the SHA-256 of the last message's text. */
  readonly prompts: ReadonlyMap<string, number>
}

interface Billed {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Counts requests and the usage that the API would bill. */
export interface StatsRecorder {
  recordConnection(): void
  /** A request of any kind has arrived. */
  recordStart(): void
  /**
   * A request has ended.
   * @param status of the response; undefined if there was none
   * @param isAborted whether the client hung up
   */
  recordEnd(status: number | undefined, isAborted: boolean): void
  /** The request is a `POST /v1/messages`. */
  recordMessageRequest(): void
  /** The body of the request is valid. */
  recordPrompt(request: MessageRequest): void
  /** A message was produced. @returns its output tokens */
  recordMessage(request: MessageRequest, message: Message): number
  recordBatchMessage(request: MessageRequest, message: Message): void
  getStats(): Omit<SimulatorStats, 'batches'>
}

/** Creates a recorder. @param startedAt when the simulator started: monotonic milliseconds */
export function createStatsRecorder(startedAt: number): StatsRecorder {
  const byStatus = new Map<number, number>()
  const prompts = new Map<string, number>()
  const billedPrompts = new Map<string, number>()
  const requestTimes: number[] = []
  const billed = { requests: 0, inputTokens: 0, outputTokens: 0 }
  const batchBilled = { ...billed }
  let [connections, inFlight, maxInFlight, aborted] = [0, 0, 0, 0]

  const addToBill = (totals: typeof billed, request: MessageRequest, message: Message) => {
    const tokens = countOutputTokens(message)
    totals.requests++
    totals.inputTokens += request.inputTokens
    totals.outputTokens += tokens
    increment(billedPrompts, hashPrompt(request))
    return tokens
  }

  return {
    recordConnection: () => void connections++,
    recordStart() {
      maxInFlight = Math.max(maxInFlight, ++inFlight)
    },
    recordEnd(status, isAborted) {
      inFlight--
      if (isAborted) aborted++
      if (status !== undefined) increment(byStatus, status)
    },
    recordMessageRequest: () => void requestTimes.push(performance.now() - startedAt),
    recordPrompt: (request) => increment(prompts, hashPrompt(request)),
    recordMessage: (request, message) => addToBill(billed, request, message),
    recordBatchMessage: (request, message) => void addToBill(batchBilled, request, message),
    getStats: () => ({
      requests: requestTimes.length,
      byStatus,
      connections,
      inFlight,
      maxInFlight,
      aborted,
      billed: { ...billed },
      batchBilled: { ...batchBilled },
      billedPrompts,
      requestTimes,
      prompts,
    }),
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function hashPrompt({ lastText }: MessageRequest): string {
  return hash('sha256', lastText)
}
