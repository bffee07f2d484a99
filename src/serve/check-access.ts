import { hash, timingSafeEqual } from 'node:crypto'
import { extractHost, parseHost } from '../core/text/parse-host.ts'

export interface AccessRules {
  /** Hosts this server may be called by, next to those of the loopback address; see `parseHost`. */
  readonly hosts: readonly string[]
  /** Pages of other origins that may use it, as browsers write them: `https://example.org`. */
  readonly origins: readonly string[]
  /** Without one, whoever reaches the server may use it. */
  readonly token: string | undefined
}

/** What of a request tells who it is from. */
export interface RequestOrigin {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly authorization: string | undefined
}

/** Why a caller is turned away. */
export interface AccessRefusal {
  readonly status: 401 | 403
  readonly type: string
  readonly message: string
}

/**
 * Whether a page may talk to this server. A page of any site may send requests to a loopback address, and one whose
 * name was made to point there (DNS rebinding) may read the answers too: the first is told by its `Origin`, the second
 * by its `Host`. With a token the name does not matter, since no such page knows it.
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

/** Whether a caller may have something asked on this server's account. */
export function checkToken(
  { authorization }: RequestOrigin,
  { token }: AccessRules,
): AccessRefusal | undefined {
  if (token === undefined) return undefined
  const presentedToken = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? ''
  // Digests have one length, so that neither the time nor an error tells how long the token is.
  return timingSafeEqual(sha256(presentedToken), sha256(token)) ? undefined : wrongToken
}

interface Authority {
  readonly host: string
  /** As it was written; empty is the default of whatever scheme the caller used. */
  readonly port: string
}

/** Reads a `Host` header. */
function parseAuthority(header = ''): Authority | undefined {
  const [, name = '', port = ''] = /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+)(?::(\d*))?$/i.exec(header) ?? []
  const host = parseHost(name)
  return host === undefined ? undefined : { host, port }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

/** Reads an `Origin` header; undefined for one that is no page of a server, such as `null`. */
function parseOrigin(header: string): URL | undefined {
  const url = URL.canParse(header) ? new URL(header) : undefined
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined
}

/** A proxy may end TLS, so the scheme may be another; each scheme's own port may be written or left out. */
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
  message: 'needs the header Authorization: Bearer <token>',
}
