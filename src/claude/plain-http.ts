import { extractHost, parseHost } from '../core/text/parse-host.ts'
import { UsageError } from '../errors.ts'
import { isPrivateHost } from './private-host.ts'
import { findProxy, type Proxies } from './proxies.ts'

export interface PlainHttpOptions {
  /** Hosts that may receive credentials without encryption, even outside private networks. */
  readonly allowHttp: readonly string[]
  /** The caller's name for that setting, such as `--allow-http`. */
  readonly allowHttpSetting: string
  readonly proxies: Proxies | undefined
}

/**
 * Checks that credentials for a base URL are encrypted, or reach only a host that is private or allowed. A
 * proxy can read plain `http`, so it must be private or allowed too, even if the proxy's own URL is `https`.
 * @throws UsageError that explains how to encrypt, or how to allow the host
 */
export function rejectPlainHttp(
  baseUrl: string,
  { allowHttp, allowHttpSetting, proxies }: PlainHttpOptions,
): void {
  const url = new URL(baseUrl)
  if (url.protocol === 'https:') return
  const isAllowed = (host: string) =>
    isPrivateHost(host) || allowHttp.some((allowed) => parseHost(allowed) === host)
  if (!isAllowed(extractHost(url)))
    throw new UsageError(
      `refusing to send a key over plain http to ${url.host}; use an https URL or, if you trust every network on the way, ${allowHttpSetting} ${formatHost(url)}`,
    )
  const proxy = proxies && findProxy(url, proxies)
  if (proxy === undefined || isAllowed(extractHost(new URL(proxy)))) return
  const { host } = new URL(proxy)
  throw new UsageError(
    `refusing to send a key over plain http through the proxy ${host}; use an https URL, add ${extractHost(url)} to NO_PROXY or, if you trust the proxy, ${allowHttpSetting} ${formatHost(new URL(proxy))}`,
  )
}

/** Returns the host without the brackets of an IPv6 address, which shells read as a pattern. */
function formatHost(url: URL): string {
  return extractHost(url).replace(/^\[|\]$/g, '')
}
