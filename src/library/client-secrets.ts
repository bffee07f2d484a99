import type { SdkClient } from '../claude/sdk-client.ts'
import { observeFetch } from '../claude/sent-secrets.ts'
import type { OfficialClient } from './official-client.ts'

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
 * It has the same settings.
 */
export function observeClient(client: OfficialClient, onSecret: (secret: string) => void): SdkClient {
  // The SDK keeps its `fetch` in a field that its types hide.
  const { fetch: send = globalThis.fetch } = client as { readonly fetch?: typeof globalThis.fetch }
  const copy = client.withOptions?.({ fetch: observeFetch(send, onSecret) } as never) ?? client
  const observed = copy as unknown as SdkClient
  return {
    get: (path, options) => observed.get(path, options),
    post: (path, options) => observed.post(path, options),
    buildRequest: (options) => observed.buildRequest(options),
    // The signature of AWS covers the body, which then cannot be a stream.
    signsBodies: 'awsRegion' in client,
  }
}
