import { formatExactUsd } from '../core/pricing/pricing-rules.ts'
import type { Reply } from '../core/request/reply.ts'

/** What the last event of a stream says about the answer, if the client asked for details. */
export interface AnswerDetails {
  readonly model: string
  /** The prompt with its version; null for a text that was sent unchanged. */
  readonly prompt: string | null
  /** Over all attempts: US dollars; null if unknown. */
  readonly cost_usd: number | null
}

/**
 * Returns the model, the prompt and the cost of an answer.
 * @param promptName such as `summarize@v3`; undefined without a prompt
 */
export function describeAnswer({ model, attempts }: Reply, promptName: string | undefined): AnswerDetails {
  const costs = attempts.map(({ cost, error }) => cost ?? (error === undefined ? undefined : 0n))
  const isKnown = costs.length > 0 && costs.every((cost) => cost !== undefined)
  const sum = costs.reduce<bigint>((sum, cost) => sum + (cost ?? 0n), 0n)
  return { model, prompt: promptName ?? null, cost_usd: isKnown ? Number(formatExactUsd(sum)) : null }
}
