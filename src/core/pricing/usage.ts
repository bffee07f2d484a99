import { count, describe, objectOf, type TypeOf } from '../text/shape.ts'

/** Billed tokens, by kinds that have different prices. The names are those of the API, flattened. */
export const usageShape = objectOf({
  input_tokens: describe(count, 'input that was neither read from nor written to the prompt cache'),
  cache_creation_5m_input_tokens: describe(count, 'input written to the cache for 5 minutes'),
  cache_creation_1h_input_tokens: describe(count, 'input written to the cache for an hour'),
  cache_read_input_tokens: describe(count, 'input read from the cache'),
  output_tokens: describe(count, 'all output that is billed, including thinking'),
})
export interface Usage extends TypeOf<typeof usageShape> {}

export const zeroUsage: Usage = {
  input_tokens: 0,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 0,
}

/**
 * Reads the API's `usage` object. Null or missing cache fields are 0. Missing or invalid token counts make
 * the whole usage unknown (undefined), never 0: an unknown cost must not look like a free request.
 * @see https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function parseUsage(raw: unknown): Usage | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  const fields = raw as Record<string, unknown>
  const cacheCreation = (fields['cache_creation'] ?? {}) as Record<string, unknown>
  const cacheWrite = toTokenCount(fields['cache_creation_input_tokens'] ?? 0)
  const cacheWrite1h = toTokenCount(cacheCreation['ephemeral_1h_input_tokens'] ?? 0)
  const usage = {
    input_tokens: toTokenCount(fields['input_tokens']),
    cache_creation_5m_input_tokens: cacheWrite - cacheWrite1h,
    cache_creation_1h_input_tokens: cacheWrite1h,
    cache_read_input_tokens: toTokenCount(fields['cache_read_input_tokens'] ?? 0),
    output_tokens: toTokenCount(fields['output_tokens']),
  }
  return Object.values(usage).every((tokens) => tokens >= 0) ? usage : undefined
}

/** Returns all input tokens, which decide the price tier. */
export function sumInputTokens(usage: Usage): number {
  return (
    usage.input_tokens +
    usage.cache_creation_5m_input_tokens +
    usage.cache_creation_1h_input_tokens +
    usage.cache_read_input_tokens
  )
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cache_creation_5m_input_tokens: a.cache_creation_5m_input_tokens + b.cache_creation_5m_input_tokens,
    cache_creation_1h_input_tokens: a.cache_creation_1h_input_tokens + b.cache_creation_1h_input_tokens,
    cache_read_input_tokens: a.cache_read_input_tokens + b.cache_read_input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
  }
}

/** Returns what `a` has more than `b`; no count is negative. */
export function subtractUsage(a: Usage, b: Usage): Usage {
  const subtract = (field: keyof Usage) => Math.max(0, a[field] - b[field])
  return {
    input_tokens: subtract('input_tokens'),
    cache_creation_5m_input_tokens: subtract('cache_creation_5m_input_tokens'),
    cache_creation_1h_input_tokens: subtract('cache_creation_1h_input_tokens'),
    cache_read_input_tokens: subtract('cache_read_input_tokens'),
    output_tokens: subtract('output_tokens'),
  }
}

/** Returns NaN for an invalid count, so that the comparison in `parseUsage` fails. */
function toTokenCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : Number.NaN
}
