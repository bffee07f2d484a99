/** Time as the engine sees it: handed in, so that tests can turn it by hand. */
export interface Clock {
  /** Monotonic milliseconds: for durations and waits; unmoved by changes of the wall clock. */
  now(): number
  /** Wall-clock milliseconds since 1970: for what a person will read, never for a wait. */
  wallTime(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
