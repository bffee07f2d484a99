import { setMaxListeners } from 'node:events'

/** The two ways a run is told to stop, as standard abort signals. */
export interface Halt {
  /** Aborted: start nothing new, let what is in flight finish. The reason says why. */
  readonly drain: AbortSignal
  /** Aborted: cut what is in flight too. */
  readonly abort: AbortSignal
  /** Drains; the first reason stands. */
  stop(reason: Error): void
  /** Drains and aborts. */
  abandon(reason: Error): void
}

export function createHalt(): Halt {
  const drain = new AbortController()
  const abort = new AbortController()
  // Everything under way listens to them; Node would take more than ten for a leak, and say so on stderr.
  setMaxListeners(0, drain.signal, abort.signal)
  return {
    drain: drain.signal,
    abort: abort.signal,
    stop: (reason) => drain.abort(reason),
    abandon(reason) {
      drain.abort(reason)
      abort.abort(reason)
    },
  }
}
