import type { Halt } from '../engine/shutdown.ts'
import { RunError } from '../errors.ts'
import { type StopSignal, signalExits, type World } from '../runtime.ts'

/** npx with bash as its shell delivers one Ctrl-C twice. */
const sameKeyMs = 500

/** How long what is in flight may take. Docker and others kill ten seconds after their SIGTERM. */
const drainMs = { SIGINT: 30_000, SIGTERM: 10_000, SIGHUP: 10_000 } as const satisfies Record<
  StopSignal,
  number
>

/**
 * The first signal drains: nothing new is sent, what is in flight is kept. The next one abandons that too, and so
 * does time.
 * @param draining told at the first signal
 * @returns stops listening
 */
export function stopOnSignals(
  world: Pick<World, 'clock' | 'onStop'>,
  halt: Halt,
  draining: () => void,
): () => void {
  const { clock } = world
  const over = new AbortController()
  let first: number | undefined
  const stop = world.onStop((signal) => {
    const now = clock.now()
    const reason = new RunError(signalExits[signal], `stopped by ${signal}`)
    if (first === undefined) {
      first = now
      halt.stop(reason)
      draining()
      clock.sleep(drainMs[signal], over.signal).then(
        () => halt.abandon(reason),
        () => {},
      )
    } else if (now - first >= sameKeyMs) {
      halt.abandon(reason)
    }
  })
  return () => {
    stop()
    over.abort()
  }
}
