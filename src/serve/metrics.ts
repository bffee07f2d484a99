import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { mayBeBilled } from '../core/errors/request-error.ts'
import { formatExactUsd } from '../core/pricing/pricing-rules.ts'
import type { Usage } from '../core/pricing/usage.ts'
import type { Attempt } from '../core/request/attempt.ts'

/** How a request for a stream ended. */
type RequestResult =
  /** With a complete answer. */
  | 'done'
  /** With an error, before or after the first byte. */
  | 'failed'
  /** The client disconnected, or did not read. */
  | 'cancelled'
  /** Rejected before a request was sent to the API: invalid, or the queue was full. */
  | 'refused'

/** The metric label of each kind of token, and the field of {@link Usage} that counts it. */
const tokenKinds = {
  input: 'input_tokens',
  cache_creation_5m_input: 'cache_creation_5m_input_tokens',
  cache_creation_1h_input: 'cache_creation_1h_input_tokens',
  cache_read_input: 'cache_read_input_tokens',
  output: 'output_tokens',
} as const satisfies Record<string, keyof Usage>

export interface Metrics {
  /** Records the arrival of a request for a stream. Returns a function to call once with its result. */
  startRequest(): (result: RequestResult) => void
  /** Records the time from a request's arrival to its first text, in milliseconds. */
  recordFirstText(ms: number): void
  /** Records a request to the API. */
  recordAttempt(attempt: Attempt): void
  /** Returns all metrics in the Prometheus text format. */
  render(): Promise<string>
  readonly contentType: string
}

/** Histogram buckets in seconds, up to the ten minutes that a request may take. */
const bucketsSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/** Creates the metrics of a server. @param countWaiting returns how many requests are in the queue */
export function createMetrics(now: () => number, countWaiting: () => number): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'claude_batch_requests_total',
    help: 'Requests for a stream, by how they ended',
    labelNames: ['outcome'],
    registers,
  })
  const upstreamRequests = new Counter({
    name: 'claude_batch_upstream_requests_total',
    help: 'Requests sent to the API, including retries, by HTTP status (none: no response)',
    labelNames: ['status'],
    registers,
  })
  const tokens = new Counter({
    name: 'claude_batch_tokens_total',
    help: 'Tokens billed by the API',
    labelNames: ['kind'],
    registers,
  })
  // Summed as integers, because a sum of floats would drift.
  let totalCost = 0n
  const dollars: Counter = new Counter({
    name: 'claude_batch_cost_usd_total',
    help: 'Cost of these tokens, where the price of the model is known',
    registers,
    collect(): void {
      dollars.reset()
      dollars.inc(Number(formatExactUsd(totalCost)))
    },
  })
  const lostAnswers = new Counter({
    name: 'claude_batch_lost_replies_total',
    help: 'Responses that were lost in transit: they may be billed and are in no other metric',
    registers,
  })
  const unpricedAnswers = new Counter({
    name: 'claude_batch_replies_with_unknown_cost_total',
    help: 'Replies whose cost is unknown: the API reported no usage, or the model has no price',
    registers,
  })
  const inFlight = new Gauge({
    name: 'claude_batch_requests_in_flight',
    help: 'Open requests, including those in the queue',
    registers,
  })
  const queue: Gauge = new Gauge({
    name: 'claude_batch_requests_waiting',
    help: 'Requests in the queue',
    registers,
    collect(): void {
      queue.set(countWaiting())
    },
  })
  const timeToFirstText = new Histogram({
    name: 'claude_batch_time_to_first_text_seconds',
    help: 'Time from the arrival of a request to the first text',
    buckets: bucketsSeconds,
    registers,
  })
  const requestDuration = new Histogram({
    name: 'claude_batch_request_duration_seconds',
    help: 'Time from the arrival of a request to its end',
    buckets: bucketsSeconds,
    registers,
  })
  for (const outcome of ['done', 'failed', 'cancelled', 'refused'] as const) requests.inc({ outcome }, 0)
  inFlight.set(0)

  return {
    startRequest() {
      const start = now()
      inFlight.inc()
      return (outcome) => {
        inFlight.dec()
        requests.inc({ outcome })
        requestDuration.observe((now() - start) / 1000)
      }
    },
    recordFirstText: (ms) => timeToFirstText.observe(ms / 1000),
    recordAttempt({ status, usage, cost, error }) {
      upstreamRequests.inc({ status: status ?? 'none' })
      if (usage !== undefined)
        for (const [kind, field] of Object.entries(tokenKinds)) tokens.inc({ kind }, usage[field])
      if (cost === undefined && error === undefined) unpricedAnswers.inc()
      if (cost !== undefined) totalCost += cost
      if (error !== undefined && mayBeBilled(error)) lostAnswers.inc()
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
