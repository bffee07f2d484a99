import { hostOf } from '../core/host.ts'
import { UsageError } from '../errors.ts'

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
export function proxiesIn(env: Readonly<Record<string, string | undefined>>): Proxies | undefined {
  const proxy = (name: string) => {
    const value = (env[name] ?? env[name.toUpperCase()] ?? '').trim()
    const url = value === '' || value.includes('://') ? value : `http://${value}`
    checkUrl(name.toUpperCase(), url)
    return url
  }
  const [httpProxy, httpsProxy] = [proxy('http_proxy'), proxy('https_proxy')]
  if (httpProxy === '' && httpsProxy === '') return undefined
  return { httpProxy, httpsProxy, noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '' }
}

/**
 * Returns the URL of the proxy through which a URL is reached, or undefined where none is used. `https` URLs use the
 * `http` proxy where there is no other. An entry of `NO_PROXY` covers a host and all names below it, with a port only
 * that port; `*` covers everything.
 */
export function proxyFor(url: URL, { httpProxy, httpsProxy, noProxy }: Proxies): string | undefined {
  const proxy = (url.protocol === 'https:' && httpsProxy) || httpProxy
  if (proxy === '' || noProxy.trim() === '*') return undefined
  const host = hostOf(url)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const isCovered = noProxy
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      // Without brackets, a host with several colons is an IPv6 address.
      const [, name = `[${entry}]`, ownPort = port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? []
      const covered = name.replace(/^\*?\./, '')
      return ownPort === port && (host === covered || host.endsWith(`.${covered}`))
    })
  return isCovered ? undefined : proxy
}

/** Checks the URL that a variable holds, if there is one. @throws UsageError that names the variable, not its value */
export function checkUrl(name: string, value: string | undefined): void {
  if (value === undefined || value.trim() === '') return
  const url = URL.canParse(value) ? new URL(value) : undefined
  const isUsable =
    url !== undefined && /^https?:$/.test(url.protocol) && decodes(url.username) && decodes(url.password)
  // Not repeated: the URL of a proxy may hold a password.
  if (!isUsable) throw new UsageError(`${name} is not a URL that begins with http:// or https://`)
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
