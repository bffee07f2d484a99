import type { Flag, FlagValues } from './flag.ts'
import { choice, date, text, texts } from './flag-parsers.ts'

/** The flags of `report`. */
export const reportFlags = {
  run: {
    group: 'Report',
    syntax: '--run <run>',
    help: 'only one run: last, or its start time as the report shows it, e.g. "2026-11-22 03:17"',
    parse: text,
  },
  groupBy: {
    group: 'Report',
    syntax: '--group-by <what>',
    help: 'group costs by day, month, model, prompt or folder',
    parse: choice(['day', 'month', 'model', 'prompt', 'folder']),
  },
  merge: {
    group: 'Report',
    syntax: '--merge <dir>',
    help: 'include the runs of another output folder, e.g. from another machine; repeatable',
    parse: texts,
    path: 'always',
  },
  compareEstimate: {
    group: 'Report',
    syntax: '--compare-estimate <file>',
    help: 'compare later runs with an estimate saved by --dry-run --report',
    parse: text,
    path: 'always',
  },
  format: {
    group: 'Report',
    syntax: '--format <format>',
    help: 'format of the report on stdout: text, json, md or html',
    default: 'text' as const,
    parse: choice(['text', 'json', 'md', 'html']),
  },
  since: {
    group: 'Report',
    syntax: '--since <date>',
    help: 'only runs that started at this date or later (UTC), e.g. 2026-11-01',
    parse: date,
  },
  prune: {
    group: 'Actions',
    syntax: '--prune',
    help: 'delete stale summaries, but not those that the report marks as kept: edited by hand, document failing, input folder missing (perhaps an unmounted disk), or no newer prompt version used in the folder',
  },
  gone: {
    group: 'Actions',
    syntax: '--gone <dir>',
    help: 'with --prune, also delete the summaries of this input folder, because its documents were deleted (not unmounted); repeatable',
    parse: texts,
    path: 'always',
  },
} as const satisfies Record<string, Flag>

/** The parsed flags of `report`. */
export type ReportOptions = FlagValues<typeof reportFlags>
