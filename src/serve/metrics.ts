import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { mayBeBilled } from '../core/errors/request-error.ts'
import { decimalDollars } from '../core/pricing/price.ts'
import type { Attempt } from '../core/request/attempt.ts'

/** How a request for a stream ended. */
type Ending =
  /** With a whole answer. */
  | 'done'
  /** With an error, before or after the first byte. */
  | 'failed'
  /** The client left, or did not read. */
  | 'cancelled'
  /** Turned away before anything was asked: not let in, malformed, or too many. */
  | 'refused'

export interface Metrics {
  /** A request for a stream came; to be told how it ended, once. */
  began(): (ending: Ending) => void
  /** The first piece of its text went out, so many milliseconds after it came. */
  firstText(ms: number): void
  /** Something was sent to the service. */
  attempt(attempt: Attempt): void
  /** In Prometheus' text format. */
  text(): Promise<string>
  readonly contentType: string
}

/** From a tenth of a second to the ten minutes a request may last: seconds. */
const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/** @param waiting how many wait for a slot just now */
export function createMetrics(now: () => number, waiting: () => number): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const requests = new Counter({
    name: 'claude_batch_requests_total',
    help: 'Requests for a stream, by how they ended',
    labelNames: ['outcome'],
    registers,
  })
  const sent = new Counter({
    name: 'claude_batch_upstream_requests_total',
    help: 'Requests sent to the service, retries among them, by HTTP status (none: no response)',
    labelNames: ['status'],
    registers,
  })
  const tokens = new Counter({
    name: 'claude_batch_tokens_total',
    help: 'Tokens billed by the service',
    labelNames: ['kind'],
    registers,
  })
  // Added up in whole numbers, as money is; a counter of floats would drift.
  let spent = 0n
  const dollars: Counter = new Counter({
    name: 'claude_batch_cost_dollars_total',
    help: 'What these tokens cost, as far as the price of the model is known',
    registers,
    collect(): void {
      dollars.reset()
      dollars.inc(Number(decimalDollars(spent)))
    },
  })
  const lost = new Counter({
    name: 'claude_batch_lost_answers_total',
    help: 'Answers that were lost on the way: they may be billed, and are in no other number',
    registers,
  })
  const unpriced = new Counter({
    name: 'claude_batch_unpriced_answers_total',
    help: 'Answers whose cost is unknown: not counted by the service, or of a model without a price',
    registers,
  })
  const inFlight = new Gauge({
    name: 'claude_batch_requests_in_flight',
    help: 'Requests that came and have not ended, those that wait among them',
    registers,
  })
  const queue: Gauge = new Gauge({
    name: 'claude_batch_requests_waiting',
    help: 'Requests that wait for a slot',
    registers,
    collect(): void {
      queue.set(waiting())
    },
  })
  const first = new Histogram({
    name: 'claude_batch_time_to_first_text_seconds',
    help: 'From the coming of a request to the first piece of its text',
    buckets,
    registers,
  })
  const total = new Histogram({
    name: 'claude_batch_request_duration_seconds',
    help: 'From the coming of a request to its end',
    buckets,
    registers,
  })
  for (const outcome of ['done', 'failed', 'cancelled', 'refused'] as const) requests.inc({ outcome }, 0)
  inFlight.set(0)

  return {
    began() {
      const start = now()
      inFlight.inc()
      return (outcome) => {
        inFlight.dec()
        requests.inc({ outcome })
        total.observe((now() - start) / 1000)
      }
    },
    firstText: (ms) => first.observe(ms / 1000),
    attempt({ status, usage, cost, fault }) {
      sent.inc({ status: status ?? 'none' })
      for (const [kind, count] of Object.entries(usage ?? {})) tokens.inc({ kind }, count)
      if (cost === undefined && fault === undefined) unpriced.inc()
      if (cost !== undefined) spent += cost
      if (fault !== undefined && mayBeBilled(fault)) lost.inc()
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
