import type { Flag, FlagValues } from './flag.ts'

/** The flags of `unlock`. */
export const unlockFlags = {
  yes: {
    group: 'Actions',
    syntax: '-y, --yes',
    help: 'remove the lock without asking; required without a terminal',
  },
} as const satisfies Record<string, Flag>

/** The parsed flags of `unlock`. */
export type UnlockOptions = FlagValues<typeof unlockFlags>
