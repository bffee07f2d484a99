import type { Flag, ValuesOf } from './flag.ts'

/** The flags of `report`; see `summarizeFlags`. */
export const reportFlags = {
  prune: {
    group: 'Options',
    flag: '--prune',
    help: 'take the stale summaries away that it lists, but for those of which it says that they stay: edited by hand; all that was in its folder is gone, as if a disk were missing',
  },
} as const satisfies Record<string, Flag>

export type ReportOptions = ValuesOf<typeof reportFlags>
