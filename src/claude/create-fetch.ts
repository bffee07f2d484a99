import type { Dispatcher } from 'undici'
import { AskError } from '../core/errors/ask-error.ts'
import type { RequestError } from '../core/errors/request-error.ts'
import { stripAuthScheme } from '../core/text/find-secrets.ts'
import { normalizeRequestUrl } from './base-url.ts'
import type { KeySource } from './key-command.ts'
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
    const url = normalizeRequestUrl(sdkUrl)
    const headers = init.headers instanceof Headers ? init.headers : new Headers(init.headers)
    // The clients of some platforms cannot take a key that changes.
    if (keySource !== undefined && !headers.has('authorization'))
      headers.set('authorization', `Bearer ${await keySource.getKey()}`)
    listSentSecrets(headers, publicHeaders).forEach(onSecret)
    const isBulk = dispatcher !== undefined
    const send = async () =>
      sendRequest(url, { ...init, headers }, dispatcher ?? (await connections.getDispatcher(url)), isBulk)
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

/** Returns a `fetch` function of the caller that reports the secrets it is given. */
export function observeFetch(
  send: typeof globalThis.fetch,
  onSecret: (secret: string) => void,
): typeof globalThis.fetch {
  return (input, init) => {
    listSentSecrets(new Headers(init?.headers), []).forEach(onSecret)
    return send(input, init)
  }
}

const expiredKeyError: RequestError = {
  kind: 'credentials',
  type: 'key_expired',
  message: 'the key expired, and the key command printed another one',
}

/**
 * Returns the values of all headers except those that the SDK always adds, public ones, and signatures of AWS. A
 * public value may be a part of a model's name, which must stay readable.
 */
function listSentSecrets(headers: Headers, publicHeaders: readonly string[]): string[] {
  return [...headers]
    .filter(
      ([name, value]) =>
        !ordinaryHeaders.test(name) && !publicHeaders.includes(name) && !value.startsWith('AWS4-'),
    )
    .map(([, value]) => stripAuthScheme(value))
}

const ordinaryHeaders =
  /^(accept|content-|host$|user-agent$|anthropic-|x-stainless-|idempotency-key$|trace|baggage$|x-amz-(content-sha256|date|target|user-agent)$|amz-sdk-|x-goog-user-project$)/
