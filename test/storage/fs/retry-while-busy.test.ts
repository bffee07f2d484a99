import { describe, expect, it } from 'vitest'
import { retryWhileBusy } from '../../../src/storage/fs/retry-while-busy.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const systemError = (code: string) => Object.assign(new Error(code), { code })

/** Runs an operation that fails with these codes, one after the other, and then succeeds. */
async function retry(codes: Iterator<string>) {
  const clock = createVirtualClock()
  let attempts = 0
  const operation = async () => {
    attempts++
    const { value, done } = codes.next()
    if (!done) throw systemError(value)
    return 'done'
  }
  const ended = clock.run(
    retryWhileBusy(operation, clock.sleep).catch(({ code }: NodeJS.ErrnoException) => code),
  )
  return { result: await ended, attempts, waitedMs: clock.now() }
}

describe('retryWhileBusy', () => {
  it('waits longer each time while another program has the file open', async () => {
    const codes = ['EBUSY', 'EPERM', 'EACCES'].values()
    expect(await retry(codes)).toEqual({ result: 'done', attempts: 4, waitedMs: 10 + 20 + 40 })
  })

  it.each(['EBUSY', 'EPERM', 'EACCES'])('gives up with %s after 2.55 s', async (code) => {
    function* forever() {
      while (true) yield code
    }
    expect(await retry(forever())).toEqual({ result: code, attempts: 9, waitedMs: 2550 })
  })

  it.each(['ENOENT', 'ENOSPC', 'EROFS', 'EEXIST'])('does not retry %s', async (code) => {
    expect(await retry([code].values())).toEqual({ result: code, attempts: 1, waitedMs: 0 })
  })
})
