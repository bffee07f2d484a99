import { observeFetch } from '../claude/create-fetch.ts'
import type { SdkClient } from '../claude/sdk-client.ts'

/**
 * An official client of Anthropic: `Anthropic`, or `AnthropicBedrock`, `AnthropicVertex`, `AnthropicFoundry` or
 * `AnthropicAws` of their packages. Only the parts that are used are listed, so that any version with them fits.
 */
export interface OfficialClient {
  post(path: string, options?: never): { asResponse(): Promise<Response> }
  get(path: string, options?: never): { asResponse(): Promise<Response> }
  buildRequest(options: never): Promise<{ readonly url: string }>
  withOptions?(options: never): OfficialClient
}

/** Whether a value has the methods of an official client. */
export function isOfficialClient(value: unknown): value is OfficialClient {
  const methods: Partial<Record<keyof OfficialClient, unknown>> = Object(value)
  return [methods.post, methods.get, methods.buildRequest].every((method) => typeof method === 'function')
}

/**
 * Returns the credentials that a client holds as text, so that they can be removed from messages: keys, tokens and
 * secrets of any platform.
 */
export function listClientSecrets(client: OfficialClient): string[] {
  return Object.entries(client).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'string' && /key|token|secret/i.test(name) ? [value] : [],
  )
}

/**
 * Returns a copy of a client that reports the secrets that it sends: tokens that it fetches are visible only there.
 * The copy has the same class and the same settings.
 */
export function observeClient(client: OfficialClient, onSecret: (secret: string) => void): SdkClient {
  // The SDK keeps its `fetch` in a field that its types hide.
  const { fetch: send = globalThis.fetch } = client as { readonly fetch?: typeof globalThis.fetch }
  const observed = client.withOptions?.({ fetch: observeFetch(send, onSecret) } as never) ?? client
  return observed as unknown as SdkClient
}
