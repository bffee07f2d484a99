/** Which file-system operations go wrong, and how. Operations are counted from 1 among those that match. */
export interface FaultPlan {
  /** The code to fail with, or `kill`, which ends the process by SIGKILL; without it nothing goes wrong. */
  readonly do?: string
  /** The first operation that is hit; 1 by default. */
  readonly at?: number
  /** How many are hit from there on; 1 by default. */
  readonly times?: number
  /**
   * A regular expression for the whole name; any by default. Names are those of `node:fs/promises`, but what is done
   * through an open file is `write`, `read`, `stat`, `truncate`, `close` or `sync`, in whatever way it is called.
   */
  readonly op?: string
  /** A regular expression for the absolute path; any by default. */
  readonly path?: string
  /** So much longer does every operation take that matches: milliseconds. */
  readonly slowMs?: number
  /** A write that is hit writes its first half. */
  readonly short?: boolean
  /** A file that gets two lines for each operation that matches: `begin rename /a /b`, and `end …` when it is done. */
  readonly log?: string
}

/** Begins anew with this plan, in this very process; an empty one lets everything pass. */
export function injectFaults(plan: FaultPlan): void
