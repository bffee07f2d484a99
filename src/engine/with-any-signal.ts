/**
 * Does something that ends when either of two signals aborts. `AbortSignal.any` would do; but what it joins to a
 * signal that lives long stays in memory as long.
 */
export async function underBoth<T>(
  a: AbortSignal,
  b: AbortSignal,
  work: (either: AbortSignal) => Promise<T>,
): Promise<T> {
  a.throwIfAborted()
  b.throwIfAborted()
  const either = new AbortController()
  const abortA = () => either.abort(a.reason)
  const abortB = () => either.abort(b.reason)
  a.addEventListener('abort', abortA, { once: true })
  b.addEventListener('abort', abortB, { once: true })
  try {
    return await work(either.signal)
  } finally {
    a.removeEventListener('abort', abortA)
    b.removeEventListener('abort', abortB)
  }
}
