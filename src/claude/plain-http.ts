import { extractHost, parseHost } from '../core/text/parse-host.ts'
import { UsageError } from '../errors.ts'
import { isPrivateHost } from './private-host.ts'
import { findProxy, type Proxies } from './proxies.ts'

export interface PlainHttpOptions {
  /** Hosts that may receive credentials without encryption, wherever they are. */
  readonly allowHttp: readonly string[]
  /** What the caller calls that setting: `--allow-http`. */
  readonly allowHttpSetting: string
  readonly proxies: Proxies | undefined
}

/**
 * Checks that credentials sent to a base URL are encrypted, or reach only a host that is private or allowed. Over
 * plain `http` the proxy on the way reads them too, so it must be private or allowed as well, whatever its own scheme.
 * @throws UsageError that says how to encrypt, or how to allow the host
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

/** Without the brackets of an IPv6 address, which shells read as a pattern. */
function formatHost(url: URL): string {
  return extractHost(url).replace(/^\[|\]$/g, '')
}
