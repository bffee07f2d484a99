import { isIP } from 'node:net'
import { extractHost, parseHost } from '../core/text/parse-host.ts'
import { UsageError } from '../errors.ts'
import { isAddressInSubnets, isLoopbackHost } from './private-host.ts'

/** The proxies that the environment sets: their URLs, or '' if unset, and the hosts that bypass them. */
export interface Proxies {
  readonly httpProxy: string
  readonly httpsProxy: string
  readonly noProxy: string
}

/**
 * Returns the proxies that the environment sets. A proxy without a scheme is an `http` proxy, as for curl.
 * @throws UsageError if one is not a URL
 */
export function readProxies(env: Readonly<Record<string, string | undefined>>): Proxies | undefined {
  const readProxy = (name: string) => {
    const value = (env[name] ?? env[name.toUpperCase()] ?? '').trim()
    const url = value === '' || value.includes('://') ? value : `http://${value}`
    checkUrlVariable(name.toUpperCase(), url)
    return url
  }
  const [httpProxy, httpsProxy] = [readProxy('http_proxy'), readProxy('https_proxy')]
  if (httpProxy === '' && httpsProxy === '') return undefined
  return { httpProxy, httpsProxy, noProxy: env['no_proxy'] || env['NO_PROXY'] || '' }
}

/**
 * Returns the URL of the proxy for a URL, or undefined if no proxy is used. `https` URLs use the `http` proxy
 * if no `https` proxy is set. This machine is never reached through a proxy, which would connect to itself
 * instead. The entries of `NO_PROXY`, separated by commas or spaces, are
 * - a host, which also covers all names below it, with or without a leading `.` or `*.`,
 * - a network such as `10.0.0.0/8` or `fd00::/8`,
 * - a host or network with a port, which covers only that port, or
 * - `*`, which covers every host.
 */
export function findProxy(url: URL, { httpProxy, httpsProxy, noProxy }: Proxies): string | undefined {
  const proxy = (url.protocol === 'https:' && httpsProxy) || httpProxy
  const host = extractHost(url)
  if (proxy === '' || isLoopbackHost(host)) return undefined
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const isExempt = noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      // Without brackets, a host with several colons is an IPv6 address.
      const [, name = entry, entryPort = port] = /^(\[.*\](?:\/\d+)?|[^:]*)(?::(\d+))?$/.exec(entry) ?? []
      return entryPort === port && (name === '*' || isInNetwork(host, name) || isHostOrSubdomain(host, name))
    })
  return isExempt ? undefined : proxy
}

function isHostOrSubdomain(host: string, name: string): boolean {
  const named = parseHost(name.replace(/^\*?\./, ''))
  return named !== undefined && (host === named || host.endsWith(`.${named}`))
}

/** Whether a host is an address in a network in CIDR notation. */
function isInNetwork(host: string, network: string): boolean {
  const [, address = '', length] = /^\[?([^\]/]+)\]?\/(\d+)$/.exec(network) ?? []
  const version = isIP(address)
  const prefix = Number(length)
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return false
  return isAddressInSubnets(host, [[address, prefix, version === 4 ? 'ipv4' : 'ipv6']])
}

/**
 * Checks the URL in a variable, if it is set. @throws UsageError that contains the variable's name, not its
 * value
 */
export function checkUrlVariable(name: string, value: string | undefined): void {
  if (value === undefined || value.trim() === '') return
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isUsable =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    canDecodeUri(url.username) &&
    canDecodeUri(url.password)
  // The message does not contain the URL, because a proxy URL may include a password.
  if (!isUsable) throw new UsageError(`${name} is not a URL that begins with http:// or https://`)
}

function canDecodeUri(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
