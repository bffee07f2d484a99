import { setTimeout as delay } from 'node:timers/promises'

/**
 * Repeats an operation that fails because another program has the file open: Windows refuses to rename or
 * remove a file while a virus scanner or a search index reads it, usually for milliseconds. A missing
 * permission has the same error codes, so the operation is given up after 2.6 seconds.
 * @param sleep waits for a number of milliseconds
 * @throws the error of the last attempt; any other error immediately
 */
export async function retryWhileBusy<Result>(
  operation: () => Result | Promise<Result>,
  sleep: (ms: number) => Promise<unknown> = delay,
): Promise<Result> {
  for (let waitMs = 10; ; waitMs *= 2) {
    try {
      return await operation()
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!busyCodes.has(code) || waitMs > longestWaitMs) throw error
    }
    await sleep(waitMs)
  }
}

const busyCodes: ReadonlySet<string> = new Set(['EACCES', 'EBUSY', 'EPERM'])
const longestWaitMs = 1280
