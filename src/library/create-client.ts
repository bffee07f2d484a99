import { setMaxListeners } from 'node:events'
import { type Completion, completion, type Question } from './complete-text.ts'
import { type Connection, connect } from './connection.ts'
import { type ClientOptions, checkOptions } from './options.ts'
import { type TextStream, textStream } from './text-stream.ts'

export interface AskOptions {
  /** Aborted: the request is cancelled, and what was asked for rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * One set of connections, one pool of slots, one pace and one retry rule for everything that is asked through it:
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
  const connection = connect(options)
  const { signal: over } = options
  const close = () => {
    over?.removeEventListener('abort', abort)
    return connection.close()
  }
  const abort = () => void close()
  if (over?.aborted) abort()
  else over?.addEventListener('abort', abort, { once: true })
  const client: Client = {
    complete: async (prompt, { signal } = {}) => completion(connection, prompt, { signal: heeded(signal) }),
    stream: (prompt, { signal } = {}) => textStream(connection, prompt, heeded(signal)),
    close,
    [Symbol.asyncDispose]: close,
  }
  return Object.defineProperty(client, inside, { value: connection })
}

const inside = Symbol('connection')

/** What is behind a client. @throws TypeError where it is none of `createClient`'s */
export function connectionOf(client: Client): Connection {
  const connection = (client as { readonly [inside]?: Connection } | undefined)?.[inside]
  if (connection === undefined) throw new TypeError('client must be one that createClient made')
  return connection
}

/** Many questions may listen to one signal; Node would take more than ten for a leak, and say so on stderr. */
export function heeded(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined
  if (!(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal')
  setMaxListeners(0, signal)
  return signal
}
