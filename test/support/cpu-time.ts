/**
 * Returns how many milliseconds the processor works on a task, at the least of three times: that depends less on the
 * load of the machine than the time it takes.
 */
export function measureCpuMs(task: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const start = process.cpuUsage()
    task()
    return since(start)
  })
  return Math.min(...times)
}

/** The same for a task that waits for something. */
export async function measureAsyncCpuMs(task: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let time = 0; time < 3; time++) {
    const start = process.cpuUsage()
    await task()
    least = Math.min(least, since(start))
  }
  return least
}

function since(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
