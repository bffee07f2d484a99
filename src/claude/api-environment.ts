import { UsageError } from '../errors.ts'
import { normalizeBaseUrl } from './base-url.ts'
import { rejectPlainHttp } from './plain-http.ts'
import { checkUrlVariable, readProxies } from './proxies.ts'

/** The base URL of the API if no setting names another one. */
export const defaultBaseUrl = 'https://api.anthropic.com'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Returns the base URL if the environment alone determines it, or else undefined. Without a key or a token,
 * the SDK looks for a profile, which may name a base URL. Checks everything that does not need the SDK, so
 * that mistakes are reported before anything is opened.
 * @param allowHttp hosts that may receive credentials without encryption; see {@link rejectPlainHttp}
 * @param allowHttpSetting the caller's name for that setting, such as `--allow-http`
 * @param hasKeyCommand whether a program prints the key; profiles are then not used
 * @throws UsageError if a variable is malformed, or if credentials would be sent unencrypted
 */
export function readBaseUrl(
  env: Environment,
  allowHttp: readonly string[],
  allowHttpSetting: string,
  hasKeyCommand = false,
): string | undefined {
  checkKeyVariable('ANTHROPIC_API_KEY', env)
  checkKeyVariable('ANTHROPIC_AUTH_TOKEN', env)
  checkUrlVariable('ANTHROPIC_BASE_URL', env['ANTHROPIC_BASE_URL'])
  const proxies = readProxies(env)
  const { baseURL, apiKey, authToken } = readCredentials(env)
  if (apiKey === null && authToken === null && !hasKeyCommand) {
    checkFolderVariable('XDG_CONFIG_HOME', env)
    checkFolderVariable('ANTHROPIC_CONFIG_DIR', env)
    return undefined
  }
  const baseUrl = baseURL ?? defaultBaseUrl
  rejectPlainHttp(baseUrl, { allowHttp, allowHttpSetting, proxies })
  return stripUserInfo(baseUrl)
}

/**
 * Returns a base URL as messages, hashes and the ledger contain it: normalized, without user name and
 * password.
 */
export function stripUserInfo(baseUrl: string): string {
  const url = new URL(baseUrl)
  url.username = ''
  url.password = ''
  return normalizeBaseUrl(url.href)
}

/**
 * Returns the normalized base URL and the credential to use, with the SDK's own rule: a key takes precedence
 * over a token. A missing value is null, which keeps the SDK from reading `process.env`.
 * @throws TypeError if the base URL is not a URL; see {@link readBaseUrl}
 */
export function readCredentials(env: Environment): Credentials {
  const value = (name: string) => env[name]?.trim() || null
  const apiKey = value('ANTHROPIC_API_KEY')
  const baseUrl = value('ANTHROPIC_BASE_URL')
  return {
    baseURL: baseUrl && normalizeBaseUrl(baseUrl),
    apiKey,
    authToken: apiKey === null ? value('ANTHROPIC_AUTH_TOKEN') : null,
  }
}

/**
 * Returns where the credential of a request comes from, never what it is.
 * @param headers additional request headers, of which one may be the credential
 */
export function describeCredential(
  env: Environment,
  {
    hasKeyCommand,
    headers = {},
  }: { hasKeyCommand: boolean; headers?: Readonly<Record<string, string>> | undefined },
): string {
  if (hasKeyCommand) return 'what the key command prints'
  const header = ['authorization', 'x-api-key'].find((name) => name in headers)
  if (header !== undefined) return `the header ${header}`
  const { apiKey, authToken } = readCredentials(env)
  if (apiKey !== null) return 'ANTHROPIC_API_KEY'
  return authToken === null ? 'the profile in use' : 'ANTHROPIC_AUTH_TOKEN'
}

interface Credentials {
  readonly baseURL: string | null
  readonly apiKey: string | null
  readonly authToken: string | null
}

/** The message does not contain the key, so that a malformed key does not end up in a log. */
export function checkKeyVariable(name: string, env: Environment): void {
  if (/[^\x21-\x7e]|["'`]/.test(env[name]?.trim() ?? ''))
    throw new UsageError(`${name} has characters no key has (a line break or a quote, perhaps); set it again`)
}

/**
 * Rejects a relative path, which the XDG specification ignores: a profile in the working directory is not the
 * user's.
 */
function checkFolderVariable(name: string, env: Environment): void {
  const folder = env[name]
  if (folder && !/^([/\\]|[a-z]:)/i.test(folder))
    throw new UsageError(`${name} must be an absolute path; unset it, or set ANTHROPIC_API_KEY`)
}
