import { amount, objectOf, optional, type TypeOf } from '../text/shape.ts'
import type { LimitRates } from './limiter-state.ts'

/** Limits per minute in JSON. A limit that is absent does not exist or is unknown. */
export const limitFieldsShape = objectOf({
  requests: optional(amount),
  input_tokens: optional(amount),
  output_tokens: optional(amount),
})
export interface LimitFields extends TypeOf<typeof limitFieldsShape> {}

/** The name of each limit in JSON. */
export const limitFieldNames = {
  requests: 'requests',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
} as const

export function toLimitFields({ requests, inputTokens, outputTokens }: LimitRates): LimitFields {
  return {
    ...(requests !== undefined && { requests }),
    ...(inputTokens !== undefined && { input_tokens: inputTokens }),
    ...(outputTokens !== undefined && { output_tokens: outputTokens }),
  }
}

export function fromLimitFields({
  requests,
  input_tokens: inputTokens,
  output_tokens: outputTokens,
}: LimitFields): LimitRates {
  return {
    ...(requests !== undefined && { requests }),
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
  }
}
