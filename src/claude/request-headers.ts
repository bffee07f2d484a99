import { stripAuthScheme } from '../core/text/find-secrets.ts'
import { UsageError } from '../errors.ts'

/**
 * Returns additional request headers with their values filled in: `${NAME}` in a value is the environment
 * variable NAME, so that no key has to be in a file or on a command line.
 * @param settingName the caller's name for the setting, such as `--headers`
 * @throws UsageError for a variable that is not set, for a credential that is written out, and for a header that
 *   cannot be sent or that claude-batch sets itself
 */
export function resolveHeaders(
  headers: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string | undefined>>,
  settingName: string,
): Record<string, string> {
  const resolved = Object.entries(headers).map(([name, template]) => {
    const value = template.replace(/\$\{(\w+)\}/g, (_, variable: string) => {
      const found = env[variable]?.trim()
      if (found) return found
      throw new UsageError(
        `${settingName}: ${name} needs the environment variable ${variable}, which is not set`,
      )
    })
    if (credentialName.test(name) && !template.includes('${'))
      throw new UsageError(
        `${settingName}: ${name} looks like a credential; put its value into an environment variable, for example KEY, and write ${name}=\${KEY}`,
      )
    if (ownHeaders.test(name))
      throw new UsageError(`${settingName}: claude-batch sets ${name} itself; remove it`)
    // The message does not contain the value, which may be a key.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value))
      throw new UsageError(
        `${settingName}: ${JSON.stringify(name)} is not a header, or its value has a line break`,
      )
    return [name.toLowerCase(), value]
  })
  return Object.fromEntries(resolved) as Record<string, string>
}

/**
 * Returns the names of the headers whose values are not secrets, in lower case: those that are written out. Credentials
 * come from a variable, or are recognized by their scheme.
 */
export function listPublicHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .filter(([, template]) => !template.includes('${') && stripAuthScheme(template) === template)
    .map(([name]) => name.toLowerCase())
}

/** Names of headers whose values must not be on a command line or in a file, where others can read them. */
const credentialName = /(^|[-_])(auth|authorization|key|apikey|token|secret|password|cookie)([-_]|$)/i

/** Headers about the connection and the body. */
const ownHeaders =
  /^(host|connection|content-.*|transfer-encoding|accept-encoding|expect|te|trailer|upgrade)$/i
