import { qualityIssueTypes } from '../../core/document/quality-checks.ts'
import { redoTargets } from '../../core/document/redo.ts'
import { joinAlternatives } from '../../core/text/join-alternatives.ts'
import type { Flag } from '../flag.ts'
import { choices, duration } from '../flag-parsers.ts'

/** Flags about results of earlier runs. */
export const rerunFlags = {
  redo: {
    isCommon: true,
    group: 'Re-running',
    syntax: '--redo <what>',
    help: `documents to summarize again, comma-separated: failed (only those with an error record), settings (made with other settings), ${joinAlternatives(qualityIssueTypes)} (flagged by this quality check), flagged (flagged by any check), all`,
    isList: true,
    parse: choices(redoTargets),
  },
  force: {
    group: 'Re-running',
    syntax: '--force',
    help: 'overwrite output files that were edited by hand or not written by claude-batch',
  },
  lockTimeout: {
    group: 'Re-running',
    syntax: '--lock-timeout <time>',
    help: 'wait this long for another run to release the output folder (default: do not wait)',
    parse: duration(0, 604_800),
  },
} as const satisfies Record<string, Flag>
