/**
 * Returns the CPU time of a task in ms, the lowest of three runs. It depends less on the load of the machine
 * than the elapsed time does.
 */
export function measureCpuMs(task: () => unknown): number {
  const times = [1, 2, 3].map(() => {
    const start = process.cpuUsage()
    task()
    return since(start)
  })
  return Math.min(...times)
}

/** Returns the CPU time of an asynchronous task in ms, the lowest of three runs. */
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
