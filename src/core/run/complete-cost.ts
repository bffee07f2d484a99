import type { DocumentEntry } from './ledger-entry.ts'

/**
 * Returns the usage and cost of a document; null where a reply is missing from them, because an incomplete sum
 * would look like a complete one.
 */
export function readCompleteCost({
  usage,
  cost_usd,
  replies_with_unknown_cost: unknownCosts = 0,
}: DocumentEntry): Pick<DocumentEntry, 'usage' | 'cost_usd'> {
  return unknownCosts === 0 ? { usage, cost_usd } : { usage: null, cost_usd: null }
}
