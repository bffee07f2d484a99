import type { Flag, ValuesOf } from './flag.ts'

/** The flags of `report`; see `summarizeFlags`. */
export const reportFlags = {
  prune: {
    group: 'Options',
    flag: '--prune',
    help: 'take the stale summaries away that it lists, but for those of which it says that they stay: edited by hand; the document fails; all that was in its folder is gone, as if a disk were missing; no newer version of the prompt was used in its folder',
  },
} as const satisfies Record<string, Flag>

export type ReportOptions = ValuesOf<typeof reportFlags>
