import { setMaxListeners } from 'node:events'

/** The two ways to stop a run, as standard abort signals. */
export interface Shutdown {
  /**
   * When aborted, nothing new is started and requests in flight finish. Its reason is the error that ends the
   * run.
   */
  readonly drainSignal: AbortSignal
  /** When aborted, requests in flight are cancelled too. */
  readonly abortSignal: AbortSignal
  /** Drains the run; only the first reason is kept. */
  drain(reason: Error): void
  /** Drains the run and cancels the requests in flight. */
  abort(reason: Error): void
}

export function createShutdown(): Shutdown {
  const drainController = new AbortController()
  const abortController = new AbortController()
  // Every document in progress listens to both signals. Node.js warns about a leak at more than ten
  // listeners.
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
