import { mayBeBilled } from '../errors/request-error.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Request } from '../request/request.ts'
import type { Picodollars, PriceOf, Terms } from './price.ts'
import { noUsage } from './usage.ts'

/**
 * What may be spent, and what is. The worst case of a request is reserved before it is sent, so that whatever the
 * requests under way turn out to cost, spent and reserved together never pass the cap.
 */
export interface Budget {
  readonly cap: Picodollars
  readonly spent: Picodollars
  readonly reserved: Picodollars
}

export function newBudget(cap: Picodollars): Budget {
  return { cap, spent: 0n, reserved: 0n }
}

/** The budget with so much reserved; undefined where it does not fit. */
export function reserve(budget: Budget, worst: Picodollars): Budget | undefined {
  const { cap, spent, reserved } = budget
  return spent + reserved + worst > cap ? undefined : { ...budget, reserved: reserved + worst }
}

/** The budget once a request that had so much reserved is over, and cost so much. */
export function settle({ cap, spent, reserved }: Budget, worst: Picodollars, cost: Picodollars): Budget {
  return { cap, spent: spent + cost, reserved: reserved - worst }
}

/**
 * The most that a request can cost: no tokenizer makes more tokens than there are bytes, no answer is longer than it
 * may be, and the account may be set to the most expensive region. Undefined for a model without a price.
 */
export function worstCase(
  { system = '', user, pdf, schema, model, maxTokens }: Request,
  priceOf: PriceOf,
  terms: Terms = {},
): Picodollars | undefined {
  const texts = Buffer.byteLength(system) + Buffer.byteLength(user)
  const format = schema ? 2 * Buffer.byteLength(JSON.stringify(schema, null, 2)) + schemaFraming : 0
  const input = texts + format + (pdf?.pages ?? 0) * tokensPerPage + framing
  return priceOf({ model, usage: { ...noUsage, input, output: maxTokens }, terms: { ...terms, us: true } })
}

/** Tokens that the service puts around the texts; counted at some ten, so that this is far too many. */
const framing = 500

/**
 * The service shows a schema to the model in a form of its own, with an explanation, and bills both as input. Neither is
 * documented; twice the indented schema and this many tokens are more.
 */
const schemaFraming = 1000

/** Of a PDF: far more than any page was seen to have, with its picture. */
const tokensPerPage = 10_000

/** What attempts cost, or may have cost: the worst case where an answer was lost on the way, or not counted. */
export function mostOf(attempts: readonly Attempt[], worst: Picodollars): Picodollars {
  let most = 0n
  for (const { fault, cost } of attempts) {
    const isFree = fault !== undefined && !mayBeBilled(fault)
    most += cost ?? (isFree ? 0n : worst)
  }
  return most
}
