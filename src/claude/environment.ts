import { UsageError } from '../errors.ts'
import type { Proxies } from './transport.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The base URL, where the environment alone decides: without a key or a token the SDK looks for a profile, which may
 * name one. Checks everything of it that needs no SDK, so that a mistake is told before anything is made.
 * @throws UsageError where a variable cannot be meant, or a key would travel unencrypted
 */
export function endpointIn(env: Environment): string | undefined {
  checkKey('ANTHROPIC_API_KEY', env)
  checkKey('ANTHROPIC_AUTH_TOKEN', env)
  checkUrl('ANTHROPIC_BASE_URL', env['ANTHROPIC_BASE_URL'])
  proxiesIn(env)
  if (!env['ANTHROPIC_API_KEY'] && !env['ANTHROPIC_AUTH_TOKEN']) {
    checkFolder('XDG_CONFIG_HOME', env)
    checkFolder('ANTHROPIC_CONFIG_DIR', env)
    return undefined
  }
  const endpoint = (env['ANTHROPIC_BASE_URL'] || 'https://api.anthropic.com').trim().replace(/\/+$/, '')
  refusePlainHttp(endpoint)
  return endpoint
}

/**
 * The base URL and the one credential to use, as the SDK would read them off the process's own environment: a key goes
 * before a token; null is none, and keeps the SDK from looking there itself.
 */
export function accessIn(env: Environment): Access {
  const value = (name: string) => env[name]?.trim() || null
  const apiKey = value('ANTHROPIC_API_KEY')
  return {
    baseURL: value('ANTHROPIC_BASE_URL'),
    apiKey,
    authToken: apiKey === null ? value('ANTHROPIC_AUTH_TOKEN') : null,
  }
}

interface Access {
  readonly baseURL: string | null
  readonly apiKey: string | null
  readonly authToken: string | null
}

/** Proxies as the environment names them; without a scheme, as curl takes them, they are `http`. */
export function proxiesIn(env: Environment): Proxies | undefined {
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

/** @throws UsageError where a key would be sent for everybody to read */
export function refusePlainHttp(endpoint: string): void {
  const url = new URL(endpoint)
  if (url.protocol === 'http:' && !isPrivate(url.hostname)) {
    throw new UsageError(
      `refusing to send a key over plain http to ${url.host}; use https in ANTHROPIC_BASE_URL`,
    )
  }
}

/** Never repeats the key: what is wrong with it must not put it into a log. */
function checkKey(name: string, env: Environment): void {
  if (/[^\x21-\x7e]|["'`]/.test(env[name]?.trim() ?? ''))
    throw new UsageError(`${name} has characters no key has (a line break or a quote, perhaps); set it again`)
}

/** The XDG rules say to ignore a relative one; a profile of whatever folder one happens to be in is not the user's. */
function checkFolder(name: string, env: Environment): void {
  const folder = env[name]
  if (folder && !/^([/\\]|[a-z]:)/i.test(folder))
    throw new UsageError(`${name} must be an absolute path; unset it, or set ANTHROPIC_API_KEY`)
}

function checkUrl(name: string, value: string | undefined): void {
  if (value === undefined || value.trim() === '') return
  const url = URL.canParse(value) ? new URL(value) : undefined
  const bad =
    url === undefined || !/^https?:$/.test(url.protocol) || !decodes(url.username) || !decodes(url.password)
  // Not repeated: a proxy's URL may hold a password.
  if (bad) throw new UsageError(`${name} is not a URL that begins with http:// or https://`)
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** This machine, private addresses and names without a public suffix: where gateways are run without TLS. */
function isPrivate(host: string): boolean {
  return /^(localhost|\[::1\]|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|[^.]+$)|\.(localhost|local|internal)$/.test(
    host,
  )
}
