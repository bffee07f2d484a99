import type { Shutdown } from '../engine/shutdown.ts'
import { ExitError } from '../errors.ts'
import { exitBySignal, type Runtime, type StopSignal } from '../runtime.ts'

/** Milliseconds. npx with bash as its shell delivers one Ctrl-C twice. */
const duplicateSignalMs = 500

/**
 * Milliseconds that requests in flight may take after a signal. Docker sends SIGKILL ten seconds after
 * SIGTERM.
 */
const drainTimeoutMs = { SIGINT: 30_000, SIGTERM: 10_000, SIGHUP: 10_000 } as const satisfies Record<
  StopSignal,
  number
>

/**
 * Stops the run on signals. The first signal drains: no new request is sent, and those in flight may finish.
 * A second signal or a timeout aborts them.
 * @param onDrain called at the first signal
 * @returns a function that removes the signal handlers
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
