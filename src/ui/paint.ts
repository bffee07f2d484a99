import { Chalk, type ChalkInstance } from 'chalk'

/** Colours for one stream: only on a terminal, unless the environment says otherwise. */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): ChalkInstance {
  return new Chalk({ level: wantsColour(stream.isTTY === true, env) ? 1 : 0 })
}

/** @see https://no-color.org and https://force-color.org */
export function wantsColour(terminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env['NO_COLOR']) return false
  const force = env['FORCE_COLOR']
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false'
  return terminal && env['TERM'] !== 'dumb'
}
