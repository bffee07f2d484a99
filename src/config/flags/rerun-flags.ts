import type { Flag } from '../flag.ts'
import { duration, qualityChecks } from '../flag-parsers.ts'

/** What to do about the results of earlier runs. */
export const rerunFlags = {
  redo: {
    group: 'Re-running',
    syntax: '--redo <checks>',
    help: 'comma-separated quality checks: summarize again what failed copy, language or length, or all of them',
    parse: qualityChecks,
  },
  force: {
    group: 'Re-running',
    syntax: '--force',
    help: 'summarize everything again, and overwrite output files that were edited by hand or not written by claude-batch',
  },
  lockTimeout: {
    group: 'Re-running',
    syntax: '--lock-timeout <time>',
    help: 'wait this long for another run to release the output folder (default: do not wait)',
    parse: duration(0, 604_800),
  },
} as const satisfies Record<string, Flag>
