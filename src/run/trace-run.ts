import {
  type Attributes,
  context,
  metrics,
  propagation,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { DocumentRef } from '../core/document/document.ts'
import { formatExactUsd } from '../core/pricing/pricing-rules.ts'
import { sumInputTokens } from '../core/pricing/usage.ts'
import type { Attempt } from '../core/request/attempt.ts'
import type { RunStart } from '../core/run/ledger-entry.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { RunStats } from '../core/run/run-stats.ts'
import {
  guardTelemetry,
  hasTelemetrySdk,
  inSpan,
  startSpan,
  telemetryScope,
} from '../engine/middleware/in-span.ts'
import {
  createAttemptRecorder,
  createRequestTelemetry,
  type RequestTelemetry,
  type TelemetryTarget,
} from '../engine/middleware/with-telemetry.ts'
import type { Runtime } from '../runtime.ts'
import type { Provider } from './provider.ts'

/** Reports a run to the process's OpenTelemetry SDK. Without one, it does nothing. */
export interface RunTrace {
  /** Works on a document in a span, which contains the spans of its requests. */
  traceDocument(source: DocumentRef, work: () => Promise<Outcome>): Promise<Outcome>
  /** Counts a request of a batch, which has no span: the API works on it at some time in the next hours. */
  recordBatchAttempt(attempt: Attempt): void
  /** Counts an outcome. */
  recordOutcome(outcome: Outcome): void
  /** Ends the span of the run. */
  end(stats: RunStats): void
}

/** Returns the telemetry of requests; undefined if the process has no OpenTelemetry SDK. */
export function openRequestTelemetry(
  provider: Pick<Provider, 'traits' | 'baseUrl'>,
): RequestTelemetry | undefined {
  return hasTelemetrySdk() ? createRequestTelemetry(toTarget(provider)) : undefined
}

function toTarget({ traits, baseUrl }: Pick<Provider, 'traits' | 'baseUrl'>): TelemetryTarget {
  return { provider: traits.telemetryName, baseUrl }
}

const noTrace: RunTrace = {
  traceDocument: (_source, work) => work(),
  recordBatchAttempt() {},
  recordOutcome() {},
  end() {},
}

/**
 * Starts the span of a run; a comparison has no single run id, prompt and model. If the environment has a
 * `TRACEPARENT`, the run belongs to that trace.
 * @see https://opentelemetry.io/docs/specs/otel/context/env-carriers/
 */
export function traceRun(
  { run_id, prompt, model }: Partial<Pick<RunStart, 'run_id' | 'prompt' | 'model'>>,
  provider: Pick<Provider, 'traits' | 'baseUrl'>,
  { env }: Pick<Runtime, 'env'>,
): RunTrace {
  if (!hasTelemetrySdk()) return noTrace
  const target = toTarget(provider)
  const carrier = { traceparent: env['TRACEPARENT'], tracestate: env['TRACESTATE'] }
  const parent = propagation.extract(context.active(), carrier)
  const attributes = {
    ...(run_id !== undefined && { 'claude_batch.run.id': run_id }),
    ...(prompt !== undefined && { 'claude_batch.prompt': prompt }),
    ...(model !== undefined && { 'gen_ai.request.model': model }),
    'gen_ai.provider.name': target.provider,
  }
  const runSpan = startSpan('claude-batch run', { attributes }, parent)
  const runContext = trace.setSpan(parent, runSpan)
  const recordAttempt = createAttemptRecorder(target)
  const documents = metrics.getMeter(telemetryScope).createCounter('claude_batch.documents', {
    description: 'Documents by how they ended',
    unit: '{document}',
  })
  return {
    traceDocument: ({ path }, work) =>
      inSpan('claude-batch document', {
        options: { attributes: { 'claude_batch.document.path': path } },
        parent: runContext,
        work,
        describeResult: describeOutcome,
      }),
    recordBatchAttempt: (attempt) => guardTelemetry(() => recordAttempt(attempt, attempt.model)),
    recordOutcome: ({ status }) =>
      guardTelemetry(() => documents.add(1, { 'claude_batch.document.status': status })),
    end: (stats) =>
      guardTelemetry(() => {
        runSpan.setAttributes(describeStats(stats))
        runSpan.end()
      }),
  }
}

function describeOutcome(span: Span, outcome: Outcome): void {
  span.setAttribute('claude_batch.document.status', outcome.status)
  if (outcome.status !== 'failed') return
  const { kind, type, message } = outcome.failure
  span.setAttribute('error.type', typeof kind === 'number' ? String(kind) : type)
  span.setStatus({ code: SpanStatusCode.ERROR, message })
}

function describeStats({ documents, requests, usage, cost }: RunStats): Attributes {
  const counts = Object.entries(documents).map(([status, count]) => [
    `claude_batch.documents.${status}`,
    count,
  ])
  return {
    ...(Object.fromEntries(counts) as Attributes),
    'claude_batch.requests': requests,
    'gen_ai.usage.input_tokens': sumInputTokens(usage),
    'gen_ai.usage.output_tokens': usage.output_tokens,
    'claude_batch.cost_usd': Number(formatExactUsd(cost)),
  }
}
