import { setMaxListeners } from 'node:events'

/** The two ways a run is told to stop, as standard abort signals. */
export interface Shutdown {
  /** Aborted: start nothing new, let what is in flight finish. The reason says why. */
  readonly drainSignal: AbortSignal
  /** Aborted: cut what is in flight too. */
  readonly abortSignal: AbortSignal
  /** Drains; the first reason stands. */
  drain(reason: Error): void
  /** Drains and aborts. */
  abort(reason: Error): void
}

export function createShutdown(): Shutdown {
  const drainController = new AbortController()
  const abortController = new AbortController()
  // Everything under way listens to them; Node would take more than ten for a leak, and say so on stderr.
  setMaxListeners(0, drainController.signal, abortController.signal)
  return {
    drainSignal: drainController.signal,
    abortSignal: abortController.signal,
    drain: (reason) => drainController.abort(reason),
    abort(reason) {
      drainController.abort(reason)
      abortController.abort(reason)
    },
  }
}
