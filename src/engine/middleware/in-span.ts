import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanOptions,
  trace,
} from '@opentelemetry/api'

/** The name under which an OpenTelemetry SDK knows this program. */
export const telemetryScope = 'claude-batch'

/**
 * Whether the process has an OpenTelemetry SDK. Without one, the functions of the API do nothing, but preparing what they
 * get takes time. Every 1.x version of the API keeps what an SDK registers under this symbol.
 */
export function hasTelemetrySdk(): boolean {
  return Symbol.for('opentelemetry.js.api.1') in globalThis
}

export interface SpanWork<Result> {
  readonly options: SpanOptions
  /** The context that the span belongs to. Default: the active one. */
  readonly parent?: Context
  /** Called in the context of the span. */
  readonly work: () => Promise<Result>
  readonly describeResult: (span: Span, result: Result) => void
  readonly describeError?: (span: Span, error: unknown) => void
}

/** Does work in a span. */
export async function inSpan<Result>(
  name: string,
  { options, parent = context.active(), work, describeResult, describeError = () => {} }: SpanWork<Result>,
): Promise<Result> {
  const span = startSpan(name, options, parent)
  try {
    const result = await context.with(trace.setSpan(parent, span), work)
    guardTelemetry(() => describeResult(span, result))
    return result
  } catch (error) {
    guardTelemetry(() => describeError(span, error))
    throw error
  } finally {
    guardTelemetry(() => span.end())
  }
}

/** Starts a span; if the SDK throws, one that records nothing. */
export function startSpan(name: string, options: SpanOptions, parent: Context): Span {
  let span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
  guardTelemetry(() => {
    span = trace.getTracer(telemetryScope).startSpan(name, options, parent)
  })
  return span
}

/** Ignores what a part of the user's SDK throws: a fault of telemetry must not lose a reply that was paid for. */
export function guardTelemetry(step: () => void): void {
  try {
    step()
  } catch {}
}
