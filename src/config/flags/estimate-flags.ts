import type { Flag } from '../flag.ts'
import { choice, integer } from '../flag-parsers.ts'

/** Flags that estimate the cost of a run. */
export const estimateFlags = {
  dryRun: {
    isCommon: true,
    group: 'Cost',
    syntax: '--dry-run',
    help: 'print what the run would do and cost, live and as a batch; sends nothing that costs money',
  },
  tokenCount: {
    group: 'Cost',
    syntax: '--token-count <how>',
    help: 'how --dry-run counts input tokens: estimate, or exact (calls the free count_tokens API)',
    default: 'estimate' as const,
    parse: choice(['estimate', 'exact']),
  },
  sample: {
    group: 'Cost',
    syntax: '--sample <n>',
    help: 'summarize N documents of different sizes first, show the estimated cost of all documents, and ask whether to continue',
    parse: integer(2, 100_000),
  },
} as const satisfies Record<string, Flag>
