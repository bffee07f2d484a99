import { hash, timingSafeEqual } from 'node:crypto'
import { extractHost, parseHost } from '../core/text/parse-host.ts'

export interface AccessRules {
  /** Allowed host names, in addition to those of the loopback address; see `parseHost`. */
  readonly hosts: readonly string[]
  /** Other origins whose pages may use the server, as browsers write them: `https://example.org`. */
  readonly origins: readonly string[]
  /** The required token; if undefined, every caller may use the server. */
  readonly token: string | undefined
}

/** The headers of a request that identify the caller. */
export interface RequestOrigin {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly authorization: string | undefined
}

/** The response to a caller without access. */
export interface AccessRefusal {
  readonly status: 401 | 403
  readonly type: string
  readonly message: string
}

/**
 * Checks whether a web page may use this server; returns undefined if so. Pages of any site can send requests
 * to a loopback address; the `Origin` header identifies these. With DNS rebinding, where a site's host name
 * resolves to the loopback address, a page can also read the replies; the `Host` header identifies it. With a
 * token the host name does not matter, because such a page does not know the token.
 */
export function checkOrigin(
  { host, origin }: RequestOrigin,
  { hosts, origins, token }: AccessRules,
): AccessRefusal | undefined {
  const authority = parseAuthority(host)
  const isKnownHost =
    authority !== undefined &&
    (isLoopback(authority.host) || hosts.some((host) => parseHost(host) === authority.host))
  if (!isKnownHost && token === undefined) return unknownHost
  if (origin === undefined) return undefined
  const originUrl = parseOrigin(origin)
  if (originUrl === undefined) return disallowedOrigin
  return origins.includes(originUrl.origin) || isSameOrigin(originUrl, authority)
    ? undefined
    : disallowedOrigin
}

/** Checks whether a caller has the token; returns undefined if so. */
export function checkToken(
  { authorization }: RequestOrigin,
  { token }: AccessRules,
): AccessRefusal | undefined {
  if (token === undefined) return undefined
  const presentedToken = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? ''
  // Hashes have a fixed length, so neither the response time nor an error reveals the length of the token.
  return timingSafeEqual(sha256(presentedToken), sha256(token)) ? undefined : wrongToken
}

interface Authority {
  readonly host: string
  /** The port as written; empty means the default port of the caller's scheme. */
  readonly port: string
}

/** Parses a `Host` header; returns undefined if it is invalid. */
function parseAuthority(header = ''): Authority | undefined {
  const [, name = '', port = ''] = /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+)(?::(\d*))?$/i.exec(header) ?? []
  const host = parseHost(name)
  return host === undefined ? undefined : { host, port }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

/** Parses an `Origin` header; returns undefined for an origin that is not HTTP(S), such as `null`. */
function parseOrigin(header: string): URL | undefined {
  const url = URL.canParse(header) ? new URL(header) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined
}

/**
 * Whether an origin has the host and port of the request. The scheme is not compared, because a proxy may
 * terminate TLS. A default port may be written or left out.
 */
function isSameOrigin(origin: URL, authority: Authority | undefined): boolean {
  const url = `${origin.protocol}//${authority?.host}:${authority?.port}`
  return (
    authority !== undefined &&
    URL.canParse(url) &&
    formatHostAndPort(origin) === formatHostAndPort(new URL(url))
  )
}

function formatHostAndPort(url: URL): string {
  return `${extractHost(url)}:${url.port}`
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

const unknownHost: AccessRefusal = {
  status: 403,
  type: 'host_not_allowed',
  message: 'this server does not accept that host name; its operator can add it with --allow-host',
}
const disallowedOrigin: AccessRefusal = {
  status: 403,
  type: 'origin_not_allowed',
  message: 'pages of that origin may not use this server; its operator can allow it with --allow-origin',
}
const wrongToken: AccessRefusal = {
  status: 401,
  type: 'unauthorized',
  message: 'this server requires the header Authorization: Bearer <token>',
}
