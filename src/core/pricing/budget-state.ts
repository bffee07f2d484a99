import { mayBeBilled } from '../errors/request-error.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Request } from '../request/request.ts'
import type { BillingTerms, Picodollars, PriceOf } from './pricing-rules.ts'
import { zeroUsage } from './usage.ts'

/**
 * What may be spent, and what is. The worst case of a request is reserved before it is sent, so that whatever the
 * requests under way turn out to cost, spent and reserved together never pass the cap.
 */
export interface BudgetState {
  readonly cap: Picodollars
  readonly spent: Picodollars
  readonly reserved: Picodollars
}

export function createBudgetState(cap: Picodollars): BudgetState {
  return { cap, spent: 0n, reserved: 0n }
}

/** The budget with so much reserved; undefined where it does not fit. */
export function reserveCost(budget: BudgetState, amount: Picodollars): BudgetState | undefined {
  const { cap, spent, reserved } = budget
  return spent + reserved + amount > cap ? undefined : { ...budget, reserved: reserved + amount }
}

/** The budget once a request that had so much reserved is over, and cost so much. */
export function commitCost(
  { cap, spent, reserved }: BudgetState,
  reservation: Picodollars,
  cost: Picodollars,
): BudgetState {
  return { cap, spent: spent + cost, reserved: reserved - reservation }
}

/**
 * The most that a request can cost: no tokenizer makes more tokens than there are bytes, no answer is longer than it
 * may be, and the account may be set to the most expensive region. Undefined for a model without a price.
 */
export function computeWorstCaseCost(
  { system = '', user, pdf, schema, model, maxTokens }: Request,
  priceOf: PriceOf,
  terms: BillingTerms = {},
): Picodollars | undefined {
  const textTokens = Buffer.byteLength(system) + Buffer.byteLength(user)
  const schemaTokens = schema
    ? 2 * Buffer.byteLength(JSON.stringify(schema, null, 2)) + schemaOverheadTokens
    : 0
  const input = textTokens + schemaTokens + (pdf?.pages ?? 0) * maxTokensPerPage + requestOverheadTokens
  return priceOf({
    model,
    usage: { ...zeroUsage, input_tokens: input, output_tokens: maxTokens },
    terms: { ...terms, usInference: true },
  })
}

/** Tokens that the service puts around the texts; counted at some ten, so that this is far too many. */
const requestOverheadTokens = 500

/**
 * The service shows a schema to the model in a form of its own, with an explanation, and bills both as input. Neither is
 * documented; twice the indented schema and this many tokens are more.
 */
const schemaOverheadTokens = 1000

/** Of a PDF: far more than any page was seen to have, with its picture. */
const maxTokensPerPage = 10_000

/** What attempts cost, or may have cost: the worst case where an answer was lost on the way, or not counted. */
export function computeMaxCost(attempts: readonly Attempt[], worstCase: Picodollars): Picodollars {
  let total = 0n
  for (const { error, cost } of attempts) {
    const isFree = error !== undefined && !mayBeBilled(error)
    total += cost ?? (isFree ? 0n : worstCase)
  }
  return total
}
