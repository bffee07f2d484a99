import type { Flag } from '../flag.ts'
import { text } from '../flag-parsers.ts'

/** Flags for the log and the report of a run. */
export const recordFlags = {
  log: {
    group: 'Outputs',
    syntax: '--log <file>',
    help: 'append one JSON line per request to this file',
    parse: text,
    path: 'always',
  },
  report: {
    isCommon: true,
    group: 'Outputs',
    syntax: '--report <file>',
    help: 'also write the report to this file (.json, .md or .html), or to stdout as JSON (-); with --dry-run, the estimate',
    parse: text,
    path: 'always',
  },
} as const satisfies Record<string, Flag>
