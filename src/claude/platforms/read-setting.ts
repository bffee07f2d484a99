import { UsageError } from '../../errors.ts'
import { checkKeyVariable } from '../api-environment.ts'
import { checkUrlVariable } from '../proxies.ts'
import type { SdkClientContext } from '../sdk-client.ts'

type Environment = SdkClientContext['env']

/** Returns a key or a token. @throws UsageError if it has characters that no key has */
export function readKey(env: Environment, variable: string): string | undefined {
  checkKeyVariable(variable, env)
  return env[variable]?.trim() || undefined
}

/** Returns an address without slashes at its end. @throws UsageError if it is not a URL */
export function readUrl(env: Environment, variable: string): string | undefined {
  checkUrlVariable(variable, env[variable])
  return env[variable]?.trim().replace(/\/+$/, '') || undefined
}

/**
 * Returns a name that becomes a part of an address, such as a region.
 * @throws UsageError if it has other characters than letters, digits and `-`: it could change the host
 */
export function readName(env: Environment, variable: string, hint = ''): string | undefined {
  const name = env[variable]?.trim()
  if (!name) return undefined
  if (/^[a-z0-9][a-z0-9-]*$/i.test(name)) return name
  throw new UsageError(`${variable} ${JSON.stringify(name)} is not a name of letters, digits and -${hint}`)
}
