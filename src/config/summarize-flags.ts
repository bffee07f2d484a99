import type { Flag, FlagValues } from './flag.ts'
import { shard } from './flag-parsers.ts'
import { batchFlags } from './flags/batch-flags.ts'
import { configurationFlags } from './flags/configuration-flags.ts'
import { costFlags } from './flags/cost-flags.ts'
import { estimateFlags } from './flags/estimate-flags.ts'
import { inputFlags } from './flags/input-flags.ts'
import { modelFlags } from './flags/model-flags.ts'
import { outputFlags } from './flags/output-flags.ts'
import { promptFlags } from './flags/prompt-flags.ts'
import { rateLimitFlags } from './flags/rate-limit-flags.ts'
import { recordFlags } from './flags/record-flags.ts'
import { rerunFlags } from './flags/rerun-flags.ts'
import { retryFlags } from './flags/retry-flags.ts'
import { simulationFlags } from './flags/simulation-flags.ts'
import { stopFlags } from './flags/stop-flags.ts'
import { verbosityFlags } from './flags/verbosity-flags.ts'
import { windowBudgetFlags } from './flags/window-budget-flag.ts'

/** The flags of `summarize`, by name, in the order of the help. */
export const summarizeFlags = {
  ...inputFlags,
  shard: {
    group: 'Inputs',
    syntax: '--shard <part/of>',
    help: 'process only part 2 of 5 (2/5)',
    parse: shard,
  },
  ...outputFlags,
  ...recordFlags,
  ...promptFlags,
  ...modelFlags,
  ...estimateFlags,
  ...costFlags,
  ...windowBudgetFlags,
  ...batchFlags,
  ...rateLimitFlags,
  ...retryFlags,
  ...rerunFlags,
  ...stopFlags,
  ...configurationFlags,
  ...simulationFlags,
  ...verbosityFlags,
} as const satisfies Record<string, Flag>

/** The values of the flags of `summarize` after parsing. */
export type SummarizeOptions = FlagValues<typeof summarizeFlags>
