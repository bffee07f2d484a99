import { join } from 'node:path'
import { findHomeFolder } from '../core/document/home-folder.ts'

/**
 * Returns a path with `~` at its beginning replaced by the user's home folder, as a shell would. Files and variables
 * are not read by a shell, and a folder named `~` is never meant.
 */
export function expandHome(path: string, env: Readonly<Record<string, string | undefined>>): string {
  const home = findHomeFolder(env)
  const [, rest] = /^~(?:[/\\](.*))?$/s.exec(path) ?? []
  return home && (path === '~' || rest !== undefined) ? join(home, rest ?? '') : path
}
