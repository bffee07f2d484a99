import { setMaxListeners } from 'node:events'

/** A signal that aborts when the caller's does, or when time is up. */
export interface Deadline {
  readonly signal: AbortSignal
  /** It was time that ran out. */
  hasExpired(): boolean
  /** Milliseconds, as last set. */
  readonly ms: number
  /** Sets the time that is left from now on: milliseconds. */
  renew(ms: number): void
}

/** Runs `work` under a deadline. Plain timers: `AbortSignal.any` keeps every signal it ever made for a long-lived one. */
export async function withDeadline<T>(
  ms: number,
  outer: AbortSignal,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted()
  const controller = new AbortController()
  // Every request of the work listens to it; Node would report more than ten as a leak.
  setMaxListeners(0, controller.signal)
  let expired = false
  const startTimer = () =>
    setTimeout(() => {
      expired = true
      controller.abort()
    }, remainingMs)
  let remainingMs = ms
  let timer = startTimer()
  const renew = (ms: number) => {
    clearTimeout(timer)
    remainingMs = ms
    if (!controller.signal.aborted) timer = startTimer()
  }
  const onAbort = () => controller.abort()
  outer.addEventListener('abort', onAbort, { once: true })
  try {
    return await work({
      signal: controller.signal,
      hasExpired: () => expired,
      get ms() {
        return remainingMs
      },
      renew,
    })
  } finally {
    clearTimeout(timer)
    outer.removeEventListener('abort', onAbort)
  }
}
