/**
 * Runs `work` with a signal that aborts when either of two signals aborts. `AbortSignal.any` is not used: the
 * signals it creates stay in memory as long as the signals they depend on.
 */
export async function withAnySignal<T>(
  a: AbortSignal,
  b: AbortSignal,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  a.throwIfAborted()
  b.throwIfAborted()
  const combined = new AbortController()
  const abortA = () => combined.abort(a.reason)
  const abortB = () => combined.abort(b.reason)
  a.addEventListener('abort', abortA, { once: true })
  b.addEventListener('abort', abortB, { once: true })
  try {
    return await work(combined.signal)
  } finally {
    a.removeEventListener('abort', abortA)
    b.removeEventListener('abort', abortB)
  }
}
