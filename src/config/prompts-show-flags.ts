import type { Flag, FlagValues } from './flag.ts'
import { text } from './flag-parsers.ts'
import { inputFlags } from './flags/input-flags.ts'
import { promptFlags } from './flags/prompt-flags.ts'

/** The flags of `prompts show`. */
export const promptsShowFlags = {
  file: {
    group: 'Document',
    syntax: '--file <document>',
    help: 'show the request for this document, with an estimate of its tokens',
    parse: text,
  },
  encoding: { ...inputFlags.encoding, group: 'Document' },
  var: { ...promptFlags.var, group: 'Document' },
} as const satisfies Record<string, Flag>

/** The parsed flags of `prompts show`. */
export type PromptsShowOptions = FlagValues<typeof promptsShowFlags>
