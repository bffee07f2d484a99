import type { Flag, FlagValues } from './flag.ts'
import { text } from './flag-parsers.ts'

/** The flags of `merge`. */
export const mergeFlags = {
  out: {
    group: 'Merge',
    syntax: '-o, --out <dir>',
    help: 'the folder to merge into; required. It may exist, and may be one of the folders',
    parse: text,
    path: 'always',
  },
  quiet: {
    group: 'Merge',
    syntax: '-q, --quiet',
    help: 'print only what is missing, incomplete or in conflict',
  },
} as const satisfies Record<string, Flag>

/** The parsed flags of `merge`. */
export type MergeOptions = FlagValues<typeof mergeFlags>
