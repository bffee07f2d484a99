import { setMaxListeners } from 'node:events'
import { type ClientOptions, checkOptions } from './client-options.ts'
import { type Connection, createConnection } from './create-connection.ts'
import { type Completion, type Question, requestCompletion } from './request-completion.ts'
import { createTextStream, type TextStream } from './text-stream.ts'

export interface AskOptions {
  /** Aborted: the request is cancelled, and what was asked for rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * One set of connections, one pool, one rate limiter and one retry rule for all requests of the client:
 * calls that are made at once share the limits instead of exceeding them together.
 */
export interface Client {
  /** Asks, and resolves with the whole answer. @throws ClaudeBatchError */
  complete(prompt: Question, options?: AskOptions): Promise<Completion>
  /** Asks at once, and hands the answer on as it is written. */
  stream(prompt: Question, options?: AskOptions): TextStream
  /** Cuts whatever is under way, and the connections. A client that is only forgotten keeps no process alive. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Makes a client. Nothing is loaded, read or connected before the first question.
 * @throws TypeError that names an option which is not what it should be
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

/** What is behind a client. @throws TypeError where it is none of `createClient`'s */
export function getConnection(client: Client): Connection {
  const connection = (client as { readonly [connectionKey]?: Connection } | undefined)?.[connectionKey]
  if (connection === undefined) throw new TypeError('client must be one that createClient made')
  return connection
}

/** Many questions may listen to one signal; Node would take more than ten for a leak, and say so on stderr. */
export function allowManyListeners(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined
  if (!(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal')
  setMaxListeners(0, signal)
  return signal
}
