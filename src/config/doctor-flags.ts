import type { Flag, FlagValues } from './flag.ts'
import { summarizeFlags } from './summarize-flags.ts'

/** The flags of `doctor`: those of `summarize`, because it checks what `summarize` would use. */
export const doctorFlags = {
  ...summarizeFlags,
  json: { isCommon: true, group: 'Outputs', syntax: '--json', help: 'print one JSON object' },
} as const satisfies Record<string, Flag>

/** The parsed flags of `doctor`. */
export type DoctorOptions = FlagValues<typeof doctorFlags>
