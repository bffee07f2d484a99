import type { Dispatcher } from 'undici'
import { AskError } from '../core/errors/ask-error.ts'
import type { RequestError } from '../core/errors/request-error.ts'
import { stripAuthScheme } from '../core/text/find-secrets.ts'
import { toAbortable } from './abortable.ts'
import { normalizeRequestUrl } from './base-url.ts'
import type { KeySource } from './key-command.ts'
import { listSentSecrets } from './sent-secrets.ts'
import { type Connections, sendRequest } from './transport.ts'

/** The options that the SDK passes to `fetch`. */
type FetchInit = Omit<RequestInit, 'dispatcher'> & { readonly dispatcher?: Dispatcher }

/**
 * Returns the `fetch` function for the SDK. After a 401 or 403 it sends the request once more if there is another
 * key.
 * @param onSecret called with every secret that is sent
 * @param publicHeaders lower-case names of headers that contain no secrets
 */
export function createFetch(
  connections: Connections,
  onSecret: (secret: string) => void,
  keySource: KeySource | undefined,
  publicHeaders: readonly string[],
): typeof globalThis.fetch {
  const fetch = async (sdkUrl: string, { dispatcher, ...init }: FetchInit) => {
    const url = new URL(normalizeRequestUrl(sdkUrl))
    const headers = init.headers instanceof Headers ? init.headers : new Headers(init.headers)
    // The clients of some platforms cannot take a key that changes.
    if (keySource !== undefined && !headers.has('authorization'))
      headers.set('authorization', `Bearer ${await keySource.getKey()}`)
    listSentSecrets(headers, publicHeaders).forEach(onSecret)
    const isBulk = dispatcher !== undefined
    const send = async () =>
      sendRequest(
        url,
        {
          method: init.method ?? 'GET',
          headers: [...headers].flat(),
          body: init.body,
          signal: init.signal ? toAbortable(init.signal) : undefined,
        },
        dispatcher ?? (await connections.getDispatcher(url.href)),
        isBulk,
      )
    const response = await send()
    // AWS answers 403 to a key that has expired.
    if (keySource === undefined || ![401, 403].includes(response.status)) return response
    const refusedKey = stripAuthScheme(headers.get('authorization') ?? '')
    const key = await keySource.replaceKey(refusedKey)
    if (key === refusedKey) return response
    // Reads the body, so that the connection can be used again.
    await response.text()
    // The upload of a batch is a stream and cannot be repeated here.
    if (typeof (init.body ?? '') !== 'string') throw new AskError(expiredKeyError)
    headers.set('authorization', `Bearer ${key}`)
    return send()
  }
  return fetch as unknown as typeof globalThis.fetch
}

const expiredKeyError: RequestError = {
  kind: 'credentials',
  type: 'key_expired',
  message: 'the key expired, and the key command printed another one',
}
