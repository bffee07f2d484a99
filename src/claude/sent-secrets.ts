import { stripAuthScheme } from '../core/text/find-secrets.ts'

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

/**
 * Returns the values of all headers except those that the SDK always adds, public ones, and signatures of AWS. A
 * public value may be a part of a model's name, which must stay readable.
 */
export function listSentSecrets(headers: Headers, publicHeaders: readonly string[]): string[] {
  return [...headers]
    .filter(
      ([name, value]) =>
        !ordinaryHeaders.test(name) && !publicHeaders.includes(name) && !value.startsWith('AWS4-'),
    )
    .map(([, value]) => stripAuthScheme(value))
}

const ordinaryHeaders =
  /^(accept|content-|host$|user-agent$|anthropic-|x-stainless-|idempotency-key$|trace|baggage$|x-amz-(content-sha256|date|target|user-agent)$|amz-sdk-|x-goog-user-project$)/
