import { UsageError } from '../errors.ts'
import { normalizeBaseUrl } from './base-url.ts'
import { rejectPlainHttp } from './plain-http.ts'
import { checkUrlVariable, readProxies } from './proxies.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Returns the base URL if the environment alone decides it: without a key or a token the SDK looks for a profile,
 * which may name one. Checks everything that needs no SDK, so that a mistake is reported before anything is opened.
 * @param allowHttp hosts that may receive credentials without encryption; see {@link rejectPlainHttp}
 * @param allowHttpSetting what the caller calls that setting: `--allow-http`
 * @throws UsageError where a variable is malformed, or where credentials would travel unencrypted
 */
export function readBaseUrl(
  env: Environment,
  allowHttp: readonly string[],
  allowHttpSetting: string,
): string | undefined {
  checkKeyVariable('ANTHROPIC_API_KEY', env)
  checkKeyVariable('ANTHROPIC_AUTH_TOKEN', env)
  checkUrlVariable('ANTHROPIC_BASE_URL', env['ANTHROPIC_BASE_URL'])
  const proxies = readProxies(env)
  const { baseURL, apiKey, authToken } = readCredentials(env)
  if (apiKey === null && authToken === null) {
    checkFolderVariable('XDG_CONFIG_HOME', env)
    checkFolderVariable('ANTHROPIC_CONFIG_DIR', env)
    return undefined
  }
  const baseUrl = baseURL ?? 'https://api.anthropic.com'
  rejectPlainHttp(baseUrl, { allowHttp, allowHttpSetting, proxies })
  return stripUserInfo(baseUrl)
}

/** Returns a base URL as messages, hashes and the ledger have it: normalized, without a user name and a password. */
export function stripUserInfo(baseUrl: string): string {
  const url = new URL(baseUrl)
  url.username = ''
  url.password = ''
  return normalizeBaseUrl(url.href)
}

/**
 * Returns the normalized base URL and the one credential to use, as the SDK would find them in the process's own
 * environment: a key takes precedence over a token. Null is none, and keeps the SDK from looking there itself.
 * @throws TypeError where the base URL is no URL; see {@link readBaseUrl}
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

interface Credentials {
  readonly baseURL: string | null
  readonly apiKey: string | null
  readonly authToken: string | null
}

/** Never repeats the key: what is wrong with it must not put it into a log. */
function checkKeyVariable(name: string, env: Environment): void {
  if (/[^\x21-\x7e]|["'`]/.test(env[name]?.trim() ?? ''))
    throw new UsageError(`${name} has characters no key has (a line break or a quote, perhaps); set it again`)
}

/** The XDG rules say to ignore a relative one; a profile of whatever folder one happens to be in is not the user's. */
function checkFolderVariable(name: string, env: Environment): void {
  const folder = env[name]
  if (folder && !/^([/\\]|[a-z]:)/i.test(folder))
    throw new UsageError(`${name} must be an absolute path; unset it, or set ANTHROPIC_API_KEY`)
}
