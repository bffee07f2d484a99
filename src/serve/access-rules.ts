import { resolve } from 'node:path'
import type { ServeOptions } from '../config/serve-flags.ts'
import { parseHost } from '../core/text/parse-host.ts'
import { CommandLineError, UsageError } from '../errors.ts'
import { readSmallFile } from '../inputs/read-small-file.ts'
import type { Runtime } from '../runtime.ts'
import type { AccessRules } from './check-access.ts'

type AccessOptions = Pick<ServeOptions, 'host' | 'token' | 'allowHost' | 'allowOrigin'>

/**
 * Returns the access rules of the server.
 * @throws UsageError if it would be open to a network without a token
 */
export async function createAccessRules(
  { host, token: source, allowHost = [], allowOrigin = [] }: AccessOptions,
  runtime: Pick<Runtime, 'env' | 'cwd'>,
): Promise<AccessRules> {
  const token = source === undefined ? undefined : await readToken(source, runtime)
  if (token === undefined && !loopbackPattern.test(host)) {
    throw new CommandLineError(
      `--host ${host}: anyone who reaches that address could spend your money; add --token FILE or --token env:NAME`,
    )
  }
  return { hosts: allowHost.map(parseAllowedHost), origins: allowOrigin.map(parseAllowedOrigin), token }
}

function parseAllowedHost(text: string): string {
  const host = parseHost(text)
  if (host === undefined)
    throw new CommandLineError(
      `--allow-host ${text}: expected a host like notes.example.org, without scheme, port or path`,
    )
  return host
}

/** Normalizes an origin like browsers do: lower case, without the default port of its scheme. */
function parseAllowedOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  if (!isOrigin)
    throw new CommandLineError(
      `--allow-origin ${text}: expected a scheme and a host, like https://example.org`,
    )
  return url.origin
}

const loopbackPattern = /^(127(\.\d{1,3}){3}|::1|localhost)$/i

/**
 * Reads the token. Messages do not repeat the value of `--token`, because it may be the token itself, by
 * mistake.
 */
async function readToken(source: string, { env, cwd }: Pick<Runtime, 'env' | 'cwd'>): Promise<string> {
  const name = /^env:(.+)$/.exec(source)?.[1]
  const text =
    name === undefined
      ? (await readSmallFile(resolve(cwd, source)).catch(() => undefined))?.toString('utf8')
      : env[name]
  const token = text?.trim() ?? ''
  if (token === '') {
    const where = name === undefined ? 'a file that can be read and is not empty' : 'a variable that is set'
    throw new CommandLineError(`--token: expected ${where}; do not put the token itself on the command line`)
  }
  if (!/^[\x21-\x7e]{16,}$/.test(token)) {
    throw new UsageError(
      '--token: expected at least 16 characters without spaces, for example from: openssl rand -hex 32',
    )
  }
  return token
}
