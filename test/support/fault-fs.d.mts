/** Which file-system operations fail, and how. Matching operations are counted from 1. */
export interface FaultPlan {
  /** The error code to fail with, or `kill`, which ends the process by SIGKILL. Without it nothing fails. */
  readonly do?: string
  /** The number of the first operation that fails; 1 by default. */
  readonly at?: number
  /** How many operations fail from there on; 1 by default. */
  readonly times?: number
  /**
   * A regular expression for the whole name; any by default. Names are those of `node:fs/promises`.
   * Operations on an open file are called `write`, `read`, `stat`, `truncate`, `close` or `sync`.
   */
  readonly op?: string
  /** A regular expression for the absolute path; any by default. */
  readonly path?: string
  /** The delay of every matching operation, in ms. */
  readonly slowMs?: number
  /** Whether a write that fails writes its first half. */
  readonly short?: boolean
  /** A file that gets two lines for each matching operation: `begin rename /a /b`, and `end …` on success. */
  readonly log?: string
}

/** Replaces the plan in this process and restarts the count. An empty plan lets every operation pass. */
export function injectFaults(plan: FaultPlan): void
