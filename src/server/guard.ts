import { hash, timingSafeEqual } from 'node:crypto'

export interface GuardOptions {
  /** Names this server may be called by, beside those of the loopback address; port and case do not matter. */
  readonly hosts: readonly string[]
  /** Pages of other origins that may use it: `https://example.org`. */
  readonly origins: readonly string[]
  /** Without one, whoever reaches the server may use it. */
  readonly token: string | undefined
}

/** What of a request tells who it is from. */
export interface Caller {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly authorization: string | undefined
}

/** Why a caller is turned away. */
export interface Refusal {
  readonly status: 401 | 403
  readonly type: string
  readonly message: string
}

/**
 * Whether a page may talk to this server. A page of any site may send requests to a loopback address, and one whose
 * name was made to point there (DNS rebinding) may read the answers too: the first is told by its `Origin`, the second
 * by its `Host`. With a token the name does not matter, since no such page knows it.
 */
export function refusalOf(
  { host, origin }: Caller,
  { hosts, origins, token }: GuardOptions,
): Refusal | undefined {
  const name = nameIn(host)
  const known = name !== undefined && (loopback.has(name) || hosts.some((one) => one.toLowerCase() === name))
  if (!known && token === undefined) return foreignHost
  if (origin === undefined || origins.includes(origin)) return undefined
  return isSame(origin, host) ? undefined : foreignOrigin
}

/** Whether a caller may have something asked on this server's account. */
export function accessRefusalOf({ authorization }: Caller, { token }: GuardOptions): Refusal | undefined {
  if (token === undefined) return undefined
  const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? ''
  // Digests have one length, so that neither the time nor an error tells how long the token is.
  return timingSafeEqual(digest(given), digest(token)) ? undefined : wrongToken
}

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

function nameIn(host: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^:/?#@\s]+)(:\d+)?$/i.exec(host ?? '')?.[1]?.toLowerCase()
}

function isSame(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol) && new URL(origin).host === host
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

const foreignHost: Refusal = {
  status: 403,
  type: 'foreign_host',
  message: 'this server is not known by that name; its operator can name it with --allow-host',
}
const foreignOrigin: Refusal = {
  status: 403,
  type: 'foreign_origin',
  message: 'pages of that origin may not use this server; its operator can allow it with --allow-origin',
}
const wrongToken: Refusal = {
  status: 401,
  type: 'unauthorized',
  message: 'needs the header Authorization: Bearer <token>',
}
