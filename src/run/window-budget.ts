import type { BatchItem } from '../core/batch/batch.ts'
import type { BatchStore } from '../core/batch/batch-store.ts'
import { formatUsd, type Picodollars, type PriceOf, usdToPicodollars } from '../core/pricing/pricing-rules.ts'
import { zeroUsage } from '../core/pricing/usage.ts'
import { readSpending } from '../storage/ledger/read-spending.ts'
import { ledgerPath } from '../storage/output-folder.ts'
import type { RunContext } from './run-context.ts'

/**
 * Lowers the budget of a run to what `--max-cost-per` leaves of its amount. The caller must hold the lock of the folder, so
 * that no other run spends at the same time.
 * @param out the output folder; absolute
 * @throws ExitError `usage` or `ioError` if the ledger cannot be read
 */
export async function applyWindowBudget(
  out: string,
  { openBatches }: Pick<BatchStore, 'openBatches'>,
  { options, runtime, budget, priceOf }: Pick<RunContext, 'options' | 'runtime' | 'budget' | 'priceOf'>,
): Promise<void> {
  const { maxCostPer, simulate } = options
  if (maxCostPer === undefined || budget === undefined) return
  const { window, windowMs, usd } = maxCostPer
  const since = runtime.clock.wallTime() - windowMs
  const spent = await readSpending(ledgerPath(out), since, simulate)
  const batched = openBatches
    .filter(({ sealedAt }) => sealedAt >= since)
    .flatMap(({ items, isSettled }) => [...items.values()].filter(({ path }) => !isSettled(path)))
    .reduce((sum, item) => sum + estimateBatchedCost(item, priceOf), 0n)
  const limit = usdToPicodollars(usd)
  const rest = limit - spent - batched
  const inBatches = batched === 0n ? '' : ` and ${formatUsd(batched)} is for requests in batches`
  const day = new Date(since).toISOString().slice(0, 16).replace('T', ' ')
  budget.lowerCap(
    rest > 0n ? rest : 0n,
    `--max-cost-per ${window}=${usd}, of which ${formatUsd(spent)} was spent since ${day} UTC${inBatches}`,
  )
}

/** Returns what a request in a batch may cost: a token per character, and all of its output tokens. */
function estimateBatchedCost({ asked }: BatchItem, priceOf: PriceOf): Picodollars {
  const { characters, provenance, answerSettings } = asked
  const usage = { ...zeroUsage, input_tokens: characters, output_tokens: answerSettings.maxTokens }
  return priceOf({ model: provenance.model, usage, terms: { batch: true } }) ?? 0n
}
