/** A resource that must be closed once. */
interface Closable {
  close(): Promise<void>
}

/** Closes resources in reverse order, like `AsyncDisposableStack`, which Node 20 does not have. */
export interface ResourceStack {
  /** Adds a resource and returns it. */
  add<Resource extends Closable>(resource: Resource): Resource
  /**
   * Closes every resource that is still open, even if closing one of them fails.
   * @param onError called with each error
   */
  close(onError: (error: Error) => void): Promise<void>
}

export function createResourceStack(): ResourceStack {
  const open: Closable[] = []
  return {
    add(resource) {
      open.push(resource)
      return resource
    },
    async close(onError) {
      for (let last = open.pop(); last !== undefined; last = open.pop()) await last.close().catch(onError)
    },
  }
}
