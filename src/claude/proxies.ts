import { isIP } from 'node:net'
import { extractHost, parseHost } from '../core/text/parse-host.ts'
import { UsageError } from '../errors.ts'
import { isAddressInSubnets, isLoopbackHost } from './private-host.ts'

/** The proxies that the environment names: URLs, empty where there is none, and the hosts that are reached without. */
export interface Proxies {
  readonly httpProxy: string
  readonly httpsProxy: string
  readonly noProxy: string
}

/**
 * Returns the proxies that the environment names. A proxy without a scheme is an `http` one, as curl reads it.
 * @throws UsageError where one is no URL
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
 * Returns the URL of the proxy through which a URL is reached, or undefined where none is used. `https` URLs use the
 * `http` proxy where there is no other. This machine is never reached through a proxy, which would look for the host
 * on its own machine. The entries of `NO_PROXY`, separated by commas or spaces, are
 * - a host, which covers all names below it as well, with or without `.` or `*.` before it,
 * - a network such as `10.0.0.0/8` or `fd00::/8`,
 * - either of them with a port, which covers only that port, or
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

/** Whether a host is an address in a network that is written as an address and the length of its prefix. */
function isInNetwork(host: string, network: string): boolean {
  const [, address = '', length] = /^\[?([^\]/]+)\]?\/(\d+)$/.exec(network) ?? []
  const version = isIP(address)
  const prefix = Number(length)
  if (version === 0 || prefix > (version === 4 ? 32 : 128)) return false
  return isAddressInSubnets(host, [[address, prefix, version === 4 ? 'ipv4' : 'ipv6']])
}

/** Checks the URL that a variable holds, if there is one. @throws UsageError that names the variable, not its value */
export function checkUrlVariable(name: string, value: string | undefined): void {
  if (value === undefined || value.trim() === '') return
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isUsable =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    canDecodeUri(url.username) &&
    canDecodeUri(url.password)
  // Not repeated: the URL of a proxy may hold a password.
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
