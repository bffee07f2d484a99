import type { Flag } from '../flag.ts'
import { formatPrices, number, prices } from '../flag-parsers.ts'

/** Flags that limit the cost of a run. */
export const costFlags = {
  maxCost: {
    isCommon: true,
    group: 'Cost',
    syntax: '--max-cost <usd>',
    help: 'hard spending cap (exit 5); reserves the maximum cost of each request before sending it',
    parse: number(0, 1_000_000),
  },
  confirmAbove: {
    group: 'Cost',
    syntax: '--confirm-above <usd>',
    help: 'ask before a run that is expected to cost more; without a terminal, --yes or --max-cost is required',
    default: 5,
    parse: number(0, 1_000_000),
  },
  yes: { group: 'Cost', syntax: '-y, --yes', help: 'continue without asking' },
  prices: {
    group: 'Cost',
    syntax: '--prices <model=in/out>',
    help: 'price of a model in USD per million tokens, e.g. my-model=0.50/2; overrides the built-in price; repeatable',
    parse: prices,
    toConfigValue: formatPrices,
  },
} as const satisfies Record<string, Flag>
