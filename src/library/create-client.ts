import { setMaxListeners } from 'node:events'
import { type ClientOptions, checkOptions } from './client-options.ts'
import { type Connection, createConnection } from './create-connection.ts'
import { type Completion, type Question, requestCompletion } from './request-completion.ts'
import { createTextStream, type TextStream } from './text-stream.ts'

export interface AskOptions {
  /** When aborted, the request is cancelled and its promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A client with one connection pool, one rate limiter and one retry policy for all of its requests.
 * Concurrent calls share the limits instead of exceeding them together.
 */
export interface Client {
  /** Sends a prompt and resolves with the complete answer. @throws ClaudeBatchError */
  complete(prompt: Question, options?: AskOptions): Promise<Completion>
  /** Sends a prompt immediately and returns its answer as a stream of text. */
  stream(prompt: Question, options?: AskOptions): TextStream
  /**
   * Cancels all requests in flight and closes the connections. A client that is not closed does not keep the
   * process alive.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Creates a client. Nothing is loaded, read or connected before the first prompt.
 * @throws TypeError that names an invalid option
 */
export function createClient(options: ClientOptions = {}): Client {
  checkOptions(options)
  const connection = createConnection(options)
  const { signal } = options
  const close = () => {
    signal?.removeEventListener('abort', abort)
    return connection.close()
  }
  const abort = () => void close()
  if (signal?.aborted) abort()
  else signal?.addEventListener('abort', abort, { once: true })
  const client: Client = {
    complete: async (prompt, { signal } = {}) =>
      requestCompletion(connection, prompt, { signal: allowManyListeners(signal) }),
    stream: (prompt, { signal } = {}) => createTextStream(connection, prompt, allowManyListeners(signal)),
    close,
    [Symbol.asyncDispose]: close,
  }
  return Object.defineProperty(client, connectionKey, { value: connection })
}

const connectionKey = Symbol('connection')

/** Returns the connection of a client. @throws TypeError if `createClient` did not return this client */
export function getConnection(client: Client): Connection {
  const connection = (client as { readonly [connectionKey]?: Connection } | undefined)?.[connectionKey]
  if (connection === undefined) throw new TypeError('client must be a client that createClient returned')
  return connection
}

/**
 * Allows many requests to listen to one signal: Node.js warns about a leak at more than ten listeners.
 * @returns the signal
 * @throws TypeError if it is not an AbortSignal
 */
export function allowManyListeners(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined
  if (!(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal')
  setMaxListeners(0, signal)
  return signal
}
