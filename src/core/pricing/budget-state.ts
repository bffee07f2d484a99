import { computeMaxUploadTokens } from '../document/upload.ts'
import { mayBeBilled } from '../errors/request-error.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Request } from '../request/request.ts'
import type { BillingTerms, Picodollars, PriceOf } from './pricing-rules.ts'
import { zeroUsage } from './usage.ts'

/**
 * The state of a budget. The worst case of a request is reserved before it is sent. So spent and reserved
 * never exceed the cap, even if all requests in flight cost the most.
 */
export interface BudgetState {
  readonly cap: Picodollars
  readonly spent: Picodollars
  readonly reserved: Picodollars
}

export function createBudgetState(cap: Picodollars): BudgetState {
  return { cap, spent: 0n, reserved: 0n }
}

/** Returns the budget with an amount reserved; undefined if that would exceed the cap. */
export function reserveCost(budget: BudgetState, amount: Picodollars): BudgetState | undefined {
  const { cap, spent, reserved } = budget
  return spent + reserved + amount > cap ? undefined : { ...budget, reserved: reserved + amount }
}

/** Returns the budget after a request ended: its reservation is released, and its cost is spent. */
export function commitCost(
  { cap, spent, reserved }: BudgetState,
  reservation: Picodollars,
  cost: Picodollars,
): BudgetState {
  return { cap, spent: spent + cost, reserved: reserved - reservation }
}

/**
 * Returns the worst case of a request: one token per byte of input, `maxTokens` of output, and the most
 * expensive region. Undefined for a model without a price.
 */
export function computeWorstCaseCost(
  { system = '', user, citable, upload, schema, model, maxTokens }: Request,
  priceOf: PriceOf,
  terms: BillingTerms = {},
): Picodollars | undefined {
  const textTokens = Buffer.byteLength(system) + Buffer.byteLength(user)
  const schemaTokens = schema
    ? 2 * Buffer.byteLength(JSON.stringify(schema, null, 2)) + schemaOverheadTokens
    : 0
  const uploadTokens = upload === undefined ? 0 : computeMaxUploadTokens(upload)
  const citableTokens = citable ? 3 * Buffer.byteLength(citable.text ?? '') + citationOverheadTokens : 0
  const input = textTokens + citableTokens + schemaTokens + uploadTokens + requestOverheadTokens
  return priceOf({
    model,
    usage: { ...zeroUsage, input_tokens: input, output_tokens: maxTokens },
    terms: { ...terms, usInference: true },
  })
}

/** Tokens that the API adds around the texts. About ten were measured, so this is more than enough. */
const requestOverheadTokens = 500

/**
 * The API rewrites a schema for the model, adds an explanation, and bills both as input tokens. Their length
 * is not documented; twice the indented schema plus this many tokens is more.
 */
const schemaOverheadTokens = 1000

/**
 * The API adds instructions for citations, and a mark to each sentence, and bills both as input tokens. Their length is
 * not documented; three tokens for each byte of the document plus this many are more.
 */
const citationOverheadTokens = 2000

/** Returns the most that attempts can have cost: the worst case if a reply was lost or not counted. */
export function computeMaxCost(attempts: readonly Attempt[], worstCase: Picodollars): Picodollars {
  let total = 0n
  for (const { error, cost } of attempts) {
    const isFree = error !== undefined && !mayBeBilled(error)
    total += cost ?? (isFree ? 0n : worstCase)
  }
  return total
}
