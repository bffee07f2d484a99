import type { BaseAnthropic } from '@anthropic-ai/sdk'
import type { KeySource } from './key-command.ts'

/** The parts of an official client of the Messages API that claude-batch uses. */
export interface SdkClient extends Pick<BaseAnthropic, 'buildRequest'> {
  get(path: string, options?: RequestOptions): PendingResponse
  post(path: string, options?: RequestOptions): PendingResponse
  /** Whether all requests for messages have the same headers, because no credential is renewed and nothing is signed. */
  readonly hasConstantHeaders?: boolean
  /** Whether the client signs requests, so that it needs the hash of a streamed body. */
  readonly signsBodies?: boolean
}

/** A request in progress. */
export interface PendingResponse {
  /** @throws the SDK's errors, also for a status that is an error */
  asResponse(): Promise<Response>
}

type RequestOptions = Exclude<NonNullable<Parameters<BaseAnthropic['post']>[1]>, PromiseLike<unknown>>

/** What a client of the SDK is created with. */
export interface SdkClientContext {
  /** The environment variables with the credentials and the base URL. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Sends the requests. */
  readonly fetch: typeof globalThis.fetch
  /** Must be called with every secret that is sent in another way. */
  readonly onSecret: (secret: string) => void
  /** Keys of a program, to use instead of the credentials in the environment. */
  readonly keySource: KeySource | undefined
  /** Headers to add to every request. */
  readonly headers: Readonly<Record<string, string>> | undefined
}

/**
 * Creates a client of the SDK.
 * @throws UsageError if a setting is missing or cannot be used
 * @throws AskError of kind `credentials` or `connection` if the credentials cannot be read
 */
export type OpenSdkClient = (context: SdkClientContext) => Promise<SdkClient> | SdkClient

/**
 * Returns a client that sends each request once. The SDK's retries would hide attempts, and go on after a
 * spending limit was reached.
 * @param timeoutMs the longest time until the headers of a response, in milliseconds
 */
export function withoutRetries(client: SdkClient, timeoutMs: number): SdkClient {
  const defaults = { maxRetries: 0, timeout: timeoutMs }
  return {
    get: (path, options) => client.get(path, { ...defaults, ...options }),
    post: (path, options) => client.post(path, { ...defaults, ...options }),
    buildRequest: (options) => client.buildRequest(options),
    signsBodies: client.signsBodies ?? false,
    hasConstantHeaders: client.hasConstantHeaders ?? false,
  }
}
