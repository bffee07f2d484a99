/** Tokens as billed, each kind with a price of its own. All are whole, non-negative numbers of tokens. */
export interface Usage {
  /** Uncached input, after the last cache breakpoint. */
  readonly input: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly cacheRead: number
  /** All output that is billed, thinking included. */
  readonly output: number
}

export const zeroUsage: Usage = { input: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, output: 0 }

/**
 * Reads the API's `usage` object. Null or missing cache fields are 0, but missing or nonsensical token counts make
 * the whole usage unknown (undefined), never 0: an unknown bill must not look like a free one.
 * @see https://platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function parseUsage(raw: unknown): Usage | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined
  const fields = raw as Record<string, unknown>
  const cacheCreation = (fields['cache_creation'] ?? {}) as Record<string, unknown>
  const cacheWrite = toTokenCount(fields['cache_creation_input_tokens'] ?? 0)
  const cacheWrite1h = toTokenCount(cacheCreation['ephemeral_1h_input_tokens'] ?? 0)
  const usage = {
    input: toTokenCount(fields['input_tokens']),
    cacheWrite5m: cacheWrite - cacheWrite1h,
    cacheWrite1h,
    cacheRead: toTokenCount(fields['cache_read_input_tokens'] ?? 0),
    output: toTokenCount(fields['output_tokens']),
  }
  return Object.values(usage).every((tokens) => tokens >= 0) ? usage : undefined
}

/** Everything the model read: what decides a prompt-length price band. */
export function sumInputTokens(usage: Usage): number {
  return usage.input + usage.cacheWrite5m + usage.cacheWrite1h + usage.cacheRead
}

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    cacheWrite5m: a.cacheWrite5m + b.cacheWrite5m,
    cacheWrite1h: a.cacheWrite1h + b.cacheWrite1h,
    cacheRead: a.cacheRead + b.cacheRead,
    output: a.output + b.output,
  }
}

/** NaN for what is no count of tokens, which fails every comparison above. */
function toTokenCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : Number.NaN
}
