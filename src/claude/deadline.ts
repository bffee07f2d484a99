import { setMaxListeners } from 'node:events'
import type { Abortable } from './abortable.ts'

/** Aborts when the caller's signal does, or when the time is up. */
export interface Deadline extends Abortable {
  /** The same as a signal. It is created when it is first used, because it costs more CPU time than a timer. */
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
  const listeners = new Set<() => void>()
  let [isAborted, hasExpired] = [false, false]
  let controller: AbortController | undefined
  const abort = () => {
    if (isAborted) return
    isAborted = true
    controller?.abort()
    for (const listener of [...listeners]) listener()
  }
  const createController = () => {
    const created = new AbortController()
    // Every request of `work` adds a listener. Node.js reports more than ten as a leak.
    setMaxListeners(0, created.signal)
    if (isAborted) created.abort()
    return created
  }
  let remainingMs = ms
  const startTimer = () =>
    setTimeout(() => {
      hasExpired = true
      abort()
    }, remainingMs)
  let timer = startTimer()
  outer.addEventListener('abort', abort, { once: true })
  try {
    return await work({
      get signal() {
        controller ??= createController()
        return controller.signal
      },
      isAborted: () => isAborted,
      onAbort(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      hasExpired: () => hasExpired,
      get ms() {
        return remainingMs
      },
      renew(ms) {
        clearTimeout(timer)
        remainingMs = ms
        if (!isAborted) timer = startTimer()
      },
    })
  } finally {
    clearTimeout(timer)
    outer.removeEventListener('abort', abort)
  }
}
