/** Resolves with what the promise brings, or with undefined as soon as the signal aborts; rejects as the promise does. */
export function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve(undefined)
    const settle = () => signal.removeEventListener('abort', leave)
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    void promise.then(resolve, reject).finally(settle)
  })
}
