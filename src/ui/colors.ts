import { Chalk, type ChalkInstance } from 'chalk'

/** Returns the colors for a stream: only on a terminal, unless the environment overrides that. */
export function createColors(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): ChalkInstance {
  return new Chalk({ level: shouldUseColor(stream.isTTY === true, env) ? 1 : 0 })
}

/** Whether to use colors. @see https://no-color.org and https://force-color.org */
export function shouldUseColor(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (env['NO_COLOR']) return false
  const force = env['FORCE_COLOR']
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false'
  return isTerminal && env['TERM'] !== 'dumb'
}
