import type { Flag, ValuesOf } from './flag.ts'

/** The flags of `report`; see `summarizeFlags`. */
export const reportFlags = {
  prune: {
    group: 'Options',
    flag: '--prune',
    help: 'take the stale summaries away that it lists, but for those edited by hand',
  },
} as const satisfies Record<string, Flag>

export type ReportOptions = ValuesOf<typeof reportFlags>
