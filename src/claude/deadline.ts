import { setMaxListeners } from 'node:events'

/** A signal that aborts when the caller's signal does, or when the time is up. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Whether the time is up. */
  hasExpired(): boolean
  /** The time limit in milliseconds, as last set. */
  readonly ms: number
  /** Sets the remaining time, in milliseconds. */
  renew(ms: number): void
}

/**
 * Runs `work` with a deadline. It uses plain timers, because `AbortSignal.any` keeps every derived signal in
 * memory as long as its source.
 */
export async function withDeadline<T>(
  ms: number,
  outer: AbortSignal,
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted()
  const controller = new AbortController()
  // Every request of `work` adds a listener. Node.js reports more than ten as a leak.
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
