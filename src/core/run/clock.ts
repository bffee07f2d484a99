/** The clock of the engine. It is a parameter, so that tests can control time. */
export interface Clock {
  /** Returns monotonic milliseconds, for durations and waits: changes of the wall clock have no effect. */
  now(): number
  /** Returns wall-clock milliseconds since 1970, for display and records, never for waits. */
  wallTime(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
