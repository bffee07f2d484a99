import { UsageError } from '../../errors.ts'
import type { Flag } from '../flag.ts'

/** A spending cap for a window of time that ends now. */
export interface WindowBudget {
  /** The window, as the user wrote it: `30d`. */
  readonly window: string
  /** Length of the window: milliseconds. */
  readonly windowMs: number
  readonly usd: number
}

const pattern = /^(\d{1,4}(?:\.\d{1,3})?)(h|d|w)=(\d{1,7}(?:\.\d{1,6})?)$/
const msPerUnit = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

function parseWindowBudget(value: string, flag: string): WindowBudget {
  const [, length, unit = 'd', usd] = pattern.exec(value.trim()) ?? []
  const windowMs = Number(length) * msPerUnit[unit as keyof typeof msPerUnit]
  if (windowMs > 0) return { window: `${length}${unit}`, windowMs, usd: Number(usd) }
  throw new UsageError(
    `${flag}: expected a time and an amount in USD, like 30d=50 or 24h=2.50, got ${JSON.stringify(value)}`,
  )
}

/** The flag of `summarize` that limits the cost of an output folder over time. */
export const windowBudgetFlags = {
  maxCostPer: {
    group: 'Cost',
    syntax: '--max-cost-per <time=usd>',
    help: 'spending cap of the output folder over time (exit 5), e.g. 30d=50: what its ledger says was spent in the last 30 days counts towards it',
    parse: Object.assign(parseWindowBudget, {
      schema: { type: 'string', pattern: pattern.source },
      format: ({ window, usd }: WindowBudget) => `${window}=${usd}`,
    }),
    toConfigValue: ({ window, usd }: WindowBudget) => `${window}=${usd}`,
  },
} as const satisfies Record<string, Flag>
