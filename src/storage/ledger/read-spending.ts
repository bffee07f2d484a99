import type { Picodollars } from '../../core/pricing/pricing-rules.ts'
import { toTotals } from '../../core/pricing/totals.ts'
import type { DocumentEntry } from '../../core/run/ledger-entry.ts'
import { type LedgerReducers, reduceLedger } from './reduce-ledger.ts'

/**
 * Returns what the ledger of an output folder says was spent since a time. A document in a batch counts when the
 * batch was submitted. The totals of compacted entries count when the last of them ended.
 * @param since milliseconds since 1970
 * @param simulated whether to count simulated runs instead of real ones
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger; `ioError`
 */
export async function readSpending(file: string, since: number, simulated: boolean): Promise<Picodollars> {
  const state = { spent: 0n, since, simulated }
  return (await reduceLedger<Spending>(file, undefined, state, spendingReducers)).spent
}

interface Spending {
  spent: Picodollars
  readonly since: number
  readonly simulated: boolean
}

const spendingReducers: LedgerReducers<Spending> = {
  document(state, entry, { run }) {
    if (isCounted(state, run?.simulated, getSpendingTime(entry)))
      state.spent += BigInt(toTotals(entry).cost_picodollars)
  },
  compacted(state, { totals, at }, { run }) {
    if (isCounted(state, run?.simulated, at)) state.spent += BigInt(totals.cost_picodollars)
  },
}

function isCounted({ since, simulated }: Spending, isSimulated: true | undefined, time: string): boolean {
  return Boolean(isSimulated) === simulated && Date.parse(time) >= since
}

function getSpendingTime({ submitted_at, ended_at }: DocumentEntry): string {
  return submitted_at ?? ended_at
}
