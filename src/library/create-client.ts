import type { JsonSchema } from '../core/request/schema-support.ts'
import { type CallOptions, readCallOptions } from './call-options.ts'
import { type ClientOptions, checkOptions } from './client-options.ts'
import { type Connection, createConnection } from './create-connection.ts'
import { checkQuestion, type Question, type SchemaQuestion } from './question.ts'
import { type Completion, requestCompletion } from './request-completion.ts'
import type { SchemaData } from './schema-data.ts'
import type { Totals } from './spending.ts'
import { createTextStream, type TextStream } from './text-stream.ts'

/**
 * A client with one connection pool and one retry policy for all of its requests, and one rate limiter for each model.
 * Concurrent calls share the limits instead of exceeding them together.
 */
export interface Client {
  /**
   * Sends a prompt and resolves with the complete answer. The type of its data is derived from a schema that is
   * written in place; `complete<Data>(…)` sets it.
   * @param prompt a text, which is sent unchanged, or texts with a schema
   * @param options settings of this request
   * @throws ClaudeBatchError if there is no complete answer that matches the schema
   * @throws TypeError that names an invalid argument
   */
  complete<const Schema extends JsonSchema>(
    prompt: SchemaQuestion<Schema>,
    options?: CallOptions,
  ): Promise<Completion<SchemaData<Schema>>>
  complete<Data>(prompt: SchemaQuestion, options?: CallOptions): Promise<Completion<Data>>
  complete(prompt: Question, options?: CallOptions): Promise<Completion<undefined>>
  /**
   * Sends a prompt immediately and returns its answer as a stream of text. Errors of the request are those of
   * `complete`: the loop throws them, and `result` rejects with them.
   * @param prompt a text, which is sent unchanged, or texts with a schema
   * @param options settings of this request
   * @throws TypeError immediately, if an argument is invalid
   */
  stream<const Schema extends JsonSchema>(
    prompt: SchemaQuestion<Schema>,
    options?: CallOptions,
  ): TextStream<SchemaData<Schema>>
  stream<Data>(prompt: SchemaQuestion, options?: CallOptions): TextStream<Data>
  stream(prompt: Question, options?: CallOptions): TextStream<undefined>
  /** Returns the attempts, tokens and cost of all requests of this client that have ended. */
  getTotals(): Totals
  /**
   * Cancels all requests in flight and closes the connections. A client that is not closed does not keep the
   * process alive.
   */
  close(): Promise<void>
  /** Closes the client at the end of the block of an `await using` declaration. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Creates a client. Nothing is loaded, read or connected before the first prompt.
 * @param options settings of all requests of this client
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
  const { overrides, getTotals } = connection
  const client = {
    complete: async (prompt: unknown, options: CallOptions = {}) => {
      const question = checkQuestion('complete', prompt)
      return requestCompletion(connection, question, readCallOptions('complete', options, overrides))
    },
    stream: (prompt: unknown, options: CallOptions = {}) => {
      const question = checkQuestion('stream', prompt)
      const call = readCallOptions('stream', options, overrides)
      return createTextStream(
        (signal, onText) => requestCompletion(connection, question, { ...call, signal }, onText),
        call.signal,
      )
    },
    getTotals,
    close,
    [Symbol.asyncDispose]: close,
  }
  return Object.defineProperty(client as unknown as Client, connectionKey, { value: connection })
}

const connectionKey = Symbol('connection')

/** Returns the connection of a client. @throws TypeError if `createClient` did not return this client */
export function getConnection(caller: string, client: Client): Connection {
  const connection = (client as { readonly [connectionKey]?: Connection } | undefined)?.[connectionKey]
  if (connection === undefined)
    throw new TypeError(`${caller}: client must be a client that createClient returned`)
  return connection
}
