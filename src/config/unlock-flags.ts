import type { Flag, FlagValues } from './flag.ts'

/** The flags of `unlock`. */
export const unlockFlags = {
  yes: {
    group: 'What is done',
    syntax: '-y, --yes',
    help: 'remove the lock without asking; needed where there is no terminal to ask on',
  },
} as const satisfies Record<string, Flag>

/** The values of the flags of `unlock` after parsing. */
export type UnlockOptions = FlagValues<typeof unlockFlags>
