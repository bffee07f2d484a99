/**
 * Does something that ends when either of two signals aborts. `AbortSignal.any` would do; but what it joins to a
 * signal that lives long stays in memory as long.
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
