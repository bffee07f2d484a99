import type { Flag, FlagValues } from './flag.ts'
import { text } from './flag-parsers.ts'
import { summarizeFlags } from './summarize-flags.ts'

/** The flags of `prompts show`. */
export const promptsShowFlags = {
  file: {
    group: 'Document',
    syntax: '--file <document>',
    help: 'show what would be sent for this document, with an estimate of its tokens',
    parse: text,
  },
  encoding: { ...summarizeFlags.encoding, group: 'Document' },
  var: { ...summarizeFlags.var, group: 'Document' },
} as const satisfies Record<string, Flag>

/** The values of the flags of `prompts show` after parsing. */
export type PromptsShowOptions = FlagValues<typeof promptsShowFlags>
