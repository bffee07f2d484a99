import type { Flag, ValuesOf } from './flag.ts'
import { summarizeFlags } from './flags.ts'
import { text } from './values.ts'

/** The flags of `prompts show`. */
export const showFlags = {
  file: {
    group: 'Document',
    flag: '--file <document>',
    help: 'show what would be sent for this document, with an estimate of its tokens',
    parse: text,
  },
  encoding: { ...summarizeFlags.encoding, group: 'Document' },
  var: { ...summarizeFlags.var, group: 'Document' },
} as const satisfies Record<string, Flag>

/** The values of the flags of `prompts show` after parsing. */
export type ShowOptions = ValuesOf<typeof showFlags>
