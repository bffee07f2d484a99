import type { Halt } from '../engine/halt.ts'
import { RunError } from '../errors.ts'
import { signalExits, type World } from '../world.ts'

/** npx with bash as its shell delivers one Ctrl-C twice. */
const sameKeyMs = 500

/**
 * The first signal drains: nothing new is sent, what is in flight is kept. The next one abandons that too.
 * @param draining told at the first signal
 * @returns stops listening
 */
export function stopOnSignals(world: World, halt: Halt, draining: () => void): () => void {
  let first: number | undefined
  return world.onStop((signal) => {
    const now = world.clock.now()
    const reason = new RunError(signalExits[signal], `stopped by ${signal} before everything was done`)
    if (first === undefined) {
      first = now
      halt.stop(reason)
      draining()
    } else if (now - first >= sameKeyMs) {
      halt.abandon(reason)
    }
  })
}
