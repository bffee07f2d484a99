import { type Attributes, metrics, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import { formatExactUsd } from '../../core/pricing/pricing-rules.ts'
import { sumInputTokens } from '../../core/pricing/usage.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Attempt } from '../../core/request/attempt.ts'
import type { Reply } from '../../core/request/reply.ts'
import type { Request } from '../../core/request/request.ts'
import { guardTelemetry, inSpan, telemetryScope } from './in-span.ts'

/** The service that answers, as telemetry names it. */
export interface TelemetryTarget {
  /** A value of `gen_ai.provider.name`. */
  readonly provider: string
  /** The base URL of the API, if it is one. */
  readonly baseUrl: string
}

/** Reports requests to the process's OpenTelemetry SDK. */
export interface RequestTelemetry {
  /** Wraps an `Ask` whose replies and errors have their attempt, and reports each of its requests. */
  readonly wrap: (ask: Ask) => Ask
  /** Reports how long a request waited for rate limits and pauses: milliseconds. */
  readonly recordWait: (ms: number) => void
}

/** Creates the telemetry of requests to a service. Call it only if there is an SDK. */
export function createRequestTelemetry(target: TelemetryTarget): RequestTelemetry {
  return { wrap: (ask) => withTelemetry(ask, target), recordWait: createWaitRecorder() }
}

/**
 * Wraps an `Ask` whose replies and errors have their attempt, and reports each request to the process's OpenTelemetry
 * SDK: a span, its duration, tokens and cost. Texts are never reported.
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and gen-ai-metrics/
 */
function withTelemetry(ask: Ask, target: TelemetryTarget): Ask {
  const recordAttempt = createAttemptRecorder(target)
  const targetAttributes = describeTarget(target)
  return (request, signal, onText) =>
    inSpan(`chat ${request.model}`, {
      options: {
        kind: SpanKind.CLIENT,
        attributes: {
          ...targetAttributes,
          'gen_ai.request.model': request.model,
          'gen_ai.request.max_tokens': request.maxTokens,
          'claude_batch.document.path': request.path,
          'claude_batch.request.attempt': request.attemptNumber,
        },
      },
      work: () => ask(request, signal, onText),
      describeResult(span, reply) {
        describeReply(span, reply)
        for (const attempt of reply.attempts) recordAttempt(attempt, request.model)
      },
      describeError(span, error) {
        const attempts = error instanceof AskError || error instanceof StoppedError ? error.attempts : []
        describeError(span, attempts.at(-1))
        for (const attempt of attempts) recordAttempt(attempt, request.model)
      },
    })
}

/** Returns a function that adds to the metrics how long a request waited for rate limits and pauses: milliseconds. */
function createWaitRecorder(): (ms: number) => void {
  const waits = metrics.getMeter(telemetryScope).createHistogram('claude_batch.request.wait.duration', {
    description: 'How long requests waited for rate limits and pauses',
    unit: 's',
    advice: { explicitBucketBoundaries: powersOf(2, 0.01, 14) },
  })
  return (ms) => guardTelemetry(() => waits.record(ms / 1000))
}

/** Returns a function that adds an attempt to the metrics; for a batch, which has no spans, it is called directly. */
export function createAttemptRecorder(
  target: TelemetryTarget,
): (attempt: Attempt, requestedModel: Request['model']) => void {
  const meter = metrics.getMeter(telemetryScope)
  const tokens = meter.createHistogram('gen_ai.client.token.usage', {
    description: 'Number of input and output tokens used',
    unit: '{token}',
    advice: { explicitBucketBoundaries: powersOf(4, 1, 14) },
  })
  const duration = meter.createHistogram('gen_ai.client.operation.duration', {
    description: 'Duration of requests',
    unit: 's',
    advice: { explicitBucketBoundaries: powersOf(2, 0.01, 14) },
  })
  const cost = meter.createCounter('claude_batch.cost', { description: 'Cost of replies', unit: 'USD' })
  const targetAttributes = describeTarget(target)
  return ({ model, usage, cost: price, elapsedMs, error, batchId }, requestedModel) => {
    const common = { ...targetAttributes, 'gen_ai.request.model': requestedModel }
    const answered = error === undefined ? { ...common, 'gen_ai.response.model': model } : common
    // The time of a batch is not that of a request.
    if (batchId === undefined)
      duration.record(
        elapsedMs / 1000,
        error === undefined ? answered : { ...answered, 'error.type': nameError(error) },
      )
    if (usage !== undefined) {
      tokens.record(sumInputTokens(usage), { ...answered, 'gen_ai.token.type': 'input' })
      tokens.record(usage.output_tokens, { ...answered, 'gen_ai.token.type': 'output' })
    }
    if (price !== undefined) cost.add(Number(formatExactUsd(price)), answered)
  }
}

function describeTarget({ provider, baseUrl }: TelemetryTarget): Attributes {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    ...(url !== undefined && {
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'http:' ? 80 : 443),
    }),
  }
}

function describeReply(
  span: Span,
  { model, stopReason, usage, firstTokenMs, requestId, attempts }: Reply,
): void {
  const cost = attempts.at(-1)?.cost
  span.setAttributes({
    'gen_ai.response.model': model,
    ...(stopReason !== null && { 'gen_ai.response.finish_reasons': [stopReason] }),
    ...(usage !== undefined && {
      'gen_ai.usage.input_tokens': sumInputTokens(usage),
      'gen_ai.usage.output_tokens': usage.output_tokens,
      'gen_ai.usage.cache_read.input_tokens': usage.cache_read_input_tokens,
      'gen_ai.usage.cache_creation.input_tokens':
        usage.cache_creation_5m_input_tokens + usage.cache_creation_1h_input_tokens,
    }),
    ...(firstTokenMs !== undefined && { 'gen_ai.response.time_to_first_chunk': firstTokenMs / 1000 }),
    ...(requestId !== undefined && { 'claude_batch.request.id': requestId }),
    ...(cost !== undefined && { 'claude_batch.cost_usd': Number(formatExactUsd(cost)) }),
  })
}

/** @param attempt undefined if the request was not sent */
function describeError(span: Span, attempt: Attempt | undefined): void {
  const { error, requestId } = attempt ?? {}
  const type = error === undefined ? 'stopped' : nameError(error)
  span.setAttribute('error.type', type)
  if (requestId !== undefined) span.setAttribute('claude_batch.request.id', requestId)
  span.setStatus({ code: SpanStatusCode.ERROR, ...(error !== undefined && { message: error.message }) })
}

/** Returns the class of an error: few values, because metrics are grouped by it. */
function nameError({ status, kind }: NonNullable<Attempt['error']>): string {
  return String(status ?? kind)
}

/** Returns this many bucket boundaries, each a multiple of the one before. */
function powersOf(factor: number, first: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => first * factor ** n)
}
