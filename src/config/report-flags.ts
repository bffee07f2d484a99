import type { Flag, FlagValues } from './flag.ts'
import { choice, text, texts } from './flag-parsers.ts'

/** The flags of `report`; see `summarizeFlags`. */
export const reportFlags = {
  run: {
    group: 'What is reported',
    syntax: '--run <which>',
    help: 'one run alone: last, or when it began, as the report shows it: "2026-11-22 03:17"',
    parse: text,
  },
  groupBy: {
    group: 'What is reported',
    syntax: '--group-by <what>',
    help: 'add up by day, model, prompt or folder instead of by run',
    parse: choice(['day', 'model', 'prompt', 'folder']),
  },
  merge: {
    group: 'What is reported',
    syntax: '--merge <dir>',
    help: 'add up with the runs of another output folder, as of several machines; may be given again',
    parse: texts,
    path: 'always',
  },
  compareEstimate: {
    group: 'What is reported',
    syntax: '--compare-estimate <file>',
    help: 'compare with an estimate that --dry-run --report has saved: what was done since',
    parse: text,
    path: 'always',
  },
  format: {
    group: 'What is reported',
    syntax: '--format <format>',
    help: 'on stdout: text, json, md or html',
    default: 'text' as const,
    parse: choice(['text', 'json', 'md', 'html']),
  },
  prune: {
    group: 'What is done',
    syntax: '--prune',
    help: 'take the stale summaries away that it lists, but for those of which it says that they stay: edited by hand; the document fails; all that was in its folder is gone, as if a disk were missing; no newer version of the prompt was used in its folder',
  },
} as const satisfies Record<string, Flag>

export type ReportOptions = FlagValues<typeof reportFlags>
