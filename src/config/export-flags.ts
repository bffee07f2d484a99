import { qualityIssueTypes } from '../core/document/quality-checks.ts'
import { exportFormats } from '../core/report/generated-marker.ts'
import { resultStatuses } from '../core/report/result-statuses.ts'
import { joinAlternatives } from '../core/text/join-alternatives.ts'
import type { Flag, FlagValues } from './flag.ts'
import { choice, choices, date, text, texts } from './flag-parsers.ts'

/** The flags of `export`. */
export const exportFlags = {
  format: {
    group: 'Export',
    syntax: '--format <format>',
    help: 'jsonl, csv, md or html (default: that of the file name, otherwise jsonl)',
    parse: choice(exportFormats),
  },
  output: {
    group: 'Export',
    syntax: '-o, --output <file>',
    help: 'write to this file, or - for stdout (default: -)',
    parse: text,
    path: 'always',
  },
  path: {
    group: 'Selection',
    syntax: '--path <path>',
    help: "only this document, the documents in this folder, or those that match a pattern such as 'docs/**/*.pdf'; repeatable",
    parse: texts,
    path: 'always',
  },
  since: {
    group: 'Selection',
    syntax: '--since <date>',
    help: 'only results made at this date or later (UTC), e.g. 2026-11-01',
    parse: date,
  },
  status: {
    group: 'Selection',
    syntax: '--status <list>',
    help: 'comma-separated: summarized, failed (the last attempt failed), pending (stopped after a request was sent)',
    default: ['summarized'] as readonly (typeof resultStatuses)[number][],
    isList: true,
    parse: choices(resultStatuses),
  },
  flagged: {
    group: 'Selection',
    syntax: '--flagged',
    help: `only summaries that a quality check flagged: ${joinAlternatives(qualityIssueTypes)}`,
  },
} as const satisfies Record<string, Flag>

/** The parsed flags of `export`. */
export type ExportOptions = FlagValues<typeof exportFlags>
