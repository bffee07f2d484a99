/** The part of a signal that a request needs. */
export interface Abortable {
  isAborted(): boolean
  /** Calls the listener when the signal aborts, until the returned function is called. */
  onAbort(listener: () => void): () => void
}

/** Returns a signal of the platform in this form. */
export function toAbortable(signal: AbortSignal): Abortable {
  return {
    isAborted: () => signal.aborted,
    onAbort(listener) {
      signal.addEventListener('abort', listener, { once: true })
      return () => signal.removeEventListener('abort', listener)
    },
  }
}
