import type { Shutdown } from '../engine/shutdown.ts'
import { ExitError } from '../errors.ts'
import { exitBySignal, type Runtime, type StopSignal } from '../runtime.ts'

/** npx with bash as its shell delivers one Ctrl-C twice. */
const duplicateSignalMs = 500

/** How long what is in flight may take. Docker and others kill ten seconds after their SIGTERM. */
const drainTimeoutMs = { SIGINT: 30_000, SIGTERM: 10_000, SIGHUP: 10_000 } as const satisfies Record<
  StopSignal,
  number
>

/**
 * The first signal drains: nothing new is sent, what is in flight is kept. The next one abandons that too, and so
 * does time.
 * @param onDrain told at the first signal
 * @returns stops listening
 */
export function stopOnSignals(
  runtime: Pick<Runtime, 'clock' | 'onStopSignal'>,
  shutdown: Shutdown,
  onDrain: () => void,
): () => void {
  const { clock } = runtime
  const drainTimer = new AbortController()
  let firstSignalMs: number | undefined
  const stopListening = runtime.onStopSignal((signal) => {
    const now = clock.now()
    const reason = new ExitError(exitBySignal[signal], `stopped by ${signal}`)
    if (firstSignalMs === undefined) {
      firstSignalMs = now
      shutdown.drain(reason)
      onDrain()
      clock.sleep(drainTimeoutMs[signal], drainTimer.signal).then(
        () => shutdown.abort(reason),
        () => {},
      )
    } else if (now - firstSignalMs >= duplicateSignalMs) {
      shutdown.abort(reason)
    }
  })
  return () => {
    stopListening()
    drainTimer.abort()
  }
}
