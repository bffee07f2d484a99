import type { Flag, FlagValues } from './flag.ts'
import { integer, shard, text } from './flag-parsers.ts'
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
    help: 'process only one part of the documents, e.g. 2/5 for the second of five parts; auto or auto/5: the part of this task of a job array',
    parse: shard,
  },
  limit: {
    group: 'Inputs',
    syntax: '--limit <n>',
    help: 'process only the first n documents, the same ones in every run; 0 for all',
    default: 0,
    parse: integer(0, 10_000_000),
  },
  ...outputFlags,
  root: {
    group: 'Outputs',
    syntax: '--root <dir>',
    help: 'give summaries the paths that documents have in this folder (default: the working directory, / for files outside it); existing summaries keep theirs',
    parse: text,
    path: 'always',
  },
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

/** The parsed flags of `summarize`. */
export type SummarizeOptions = FlagValues<typeof summarizeFlags>
