import { describe, expect, it } from 'vitest'
import { createShutdown } from '../../src/engine/shutdown.ts'
import { stopOnSignals } from '../../src/run/stop-on-signals.ts'
import type { StopSignal } from '../../src/runtime.ts'
import { createVirtualClock } from '../support/virtual-clock.ts'

function listening() {
  const clock = createVirtualClock()
  const halt = createShutdown()
  let send: (signal: StopSignal) => void = () => {}
  let told = 0
  const onStop = (listener: typeof send) => {
    send = listener
    return () => {}
  }
  const stop = stopOnSignals({ clock, onStopSignal: onStop }, halt, () => told++)
  return { clock, halt, stop, send: (signal: StopSignal) => send(signal), told: () => told }
}

describe('stopOnSignals', () => {
  it('drains at the first signal, and aborts at another one that comes at least 500 ms later', async () => {
    const { clock, halt, send, told } = listening()
    send('SIGINT')
    expect([halt.drainSignal.aborted, halt.abortSignal.aborted, told()]).toEqual([true, false, 1])
    await clock.run(clock.sleep(499))
    send('SIGINT')
    expect(halt.abortSignal.aborted).toBe(false)
    await clock.run(clock.sleep(1))
    send('SIGINT')
    expect([halt.abortSignal.aborted, told()]).toEqual([true, 1])
    expect(halt.abortSignal.reason).toMatchObject({ exit: 'interrupt', message: 'stopped by SIGINT' })
  })

  it.each([
    ['SIGINT', 30_000],
    ['SIGTERM', 10_000],
    ['SIGHUP', 10_000],
  ] as const)('after %s aborts the requests that are still in flight after %i ms', async (signal, ms) => {
    const { clock, halt, send } = listening()
    send(signal)
    await clock.run(clock.sleep(ms - 1))
    expect(halt.abortSignal.aborted).toBe(false)
    await clock.run(clock.sleep(1))
    await Promise.resolve()
    expect(halt.abortSignal.aborted).toBe(true)
  })

  it('leaves no timer that would delay the exit', async () => {
    const { clock, halt, send, stop } = listening()
    send('SIGTERM')
    stop()
    await clock.run(clock.sleep(60_000))
    expect(halt.abortSignal.aborted).toBe(false)
  })
})
