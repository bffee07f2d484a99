import type { Flag, ValuesOf } from './flag.ts'

/** The flags of `unlock`. */
export const unlockFlags = {
  yes: {
    group: 'What is done',
    flag: '-y, --yes',
    help: 'remove the lock without asking; needed where there is no terminal to ask on',
  },
} as const satisfies Record<string, Flag>

/** The values of the flags of `unlock` after parsing. */
export type UnlockOptions = ValuesOf<typeof unlockFlags>
