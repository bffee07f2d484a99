/**
 * Resolves with the promise's value, or with undefined as soon as the signal aborts. Rejects if the promise
 * does.
 */
export function unlessAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const resolveEmpty = () => resolve(undefined)
    const stopListening = () => signal.removeEventListener('abort', resolveEmpty)
    signal.addEventListener('abort', resolveEmpty, { once: true })
    if (signal.aborted) resolveEmpty()
    void promise.then(resolve, reject).finally(stopListening)
  })
}
