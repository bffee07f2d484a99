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
 * The copy has the same class and the same settings.
 */
export function observeClient(client: OfficialClient, onSecret: (secret: string) => void): SdkClient {
  // The SDK keeps its `fetch` in a field that its types hide.
  const { fetch: send = globalThis.fetch } = client as { readonly fetch?: typeof globalThis.fetch }
  const observed = client.withOptions?.({ fetch: observeFetch(send, onSecret) } as never) ?? client
  return observed as unknown as SdkClient
}
