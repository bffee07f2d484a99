/** The time that one document may take. */
export interface TimeBudget {
  /** Counts the time since the last call. Returns the limit in milliseconds that was exceeded, if any. */
  findExceededLimit(): number | undefined
}

export interface TimeSources {
  /** Returns milliseconds since any fixed moment. @default the time since the process started */
  readonly now?: (() => number) | undefined
  /**
   * Returns the CPU time of the process in milliseconds. Without it, all time counts as if the thread ran.
   */
  readonly getCpuTimeMs?: (() => number) | undefined
}

/**
 * Returns a budget that counts the time in which the reader thread may have run: at most the CPU time of the
 * process. On a busy machine or a suspended laptop, time passes in which the thread does not run. For a thread
 * that hangs without using the CPU, a limit of ten times as many milliseconds applies.
 * @param tickMs how often the budget is asked; a longer time without a call is a suspension
 */
export function createTimeBudget(
  limitMs: number,
  tickMs: number,
  { now = () => performance.now(), getCpuTimeMs = now }: TimeSources,
): TimeBudget {
  let [lastTime, lastCpuTime] = [now(), getCpuTimeMs()]
  let [usedMs, waitedMs] = [0, 0]
  const maxWaitMs = 10 * limitMs
  return {
    findExceededLimit() {
      const [time, cpuTime] = [now(), getCpuTimeMs()]
      const elapsedMs = Math.min(time - lastTime, 2 * tickMs)
      waitedMs += elapsedMs
      usedMs += Math.min(elapsedMs, cpuTime - lastCpuTime)
      lastTime = time
      lastCpuTime = cpuTime
      return usedMs > limitMs ? limitMs : waitedMs > maxWaitMs ? maxWaitMs : undefined
    },
  }
}
