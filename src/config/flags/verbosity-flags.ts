import type { Flag } from '../flag.ts'
import { choice } from '../flag-parsers.ts'

/** Flags for the output on the terminal. */
export const verbosityFlags = {
  quiet: {
    isCommon: true,
    group: 'Output on the terminal',
    syntax: '-q, --quiet',
    help: 'print failures only',
  },
  verbose: {
    isCommon: true,
    group: 'Output on the terminal',
    syntax: '-v, --verbose',
    help: 'also print a line per document, retry and pause',
  },
  progress: {
    group: 'Output on the terminal',
    syntax: '--progress <mode>',
    help: 'auto (a bar on a terminal, otherwise a line every 10 seconds), bar, lines, off, or json: one JSON object per event on stderr',
    default: 'auto' as const,
    parse: choice(['auto', 'bar', 'lines', 'off', 'json']),
  },
} as const satisfies Record<string, Flag>
