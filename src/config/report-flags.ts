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
    help: 'delete stale summaries, except those the report marks as kept: edited by hand, document failing, source folder missing (an unmounted disk), or no newer prompt version used in the folder',
  },
  gone: {
    group: 'Actions',
    syntax: '--gone <dir>',
    help: 'with --prune, this folder of documents is really gone, not on a disk that is not mounted; repeatable',
    parse: texts,
    path: 'always',
  },
} as const satisfies Record<string, Flag>

/** The values of the flags of `report` after parsing. */
export type ReportOptions = FlagValues<typeof reportFlags>
