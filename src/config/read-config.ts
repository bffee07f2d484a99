import { readFile, stat } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import type { ConfigFile } from './file.ts'
import type { Flag } from './flag.ts'
import type { LocatedConfig } from './locate.ts'

/** A configuration file and its name for messages. */
export type NamedConfig = ConfigFile & { readonly name: string }

/** Reads and checks one configuration file. @throws UsageError where it cannot be read, or has a mistake */
export async function readConfig(
  { file, trusted }: LocatedConfig,
  known: ReadonlyMap<string, Flag>,
  cwd: string,
): Promise<NamedConfig> {
  const shown = relative(cwd, file)
  const name = shown.startsWith('..') ? file : shown
  const text = await textOf(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read the configuration ${name}: ${error.code ?? error.message}`)
  })
  const { parseConfig } = await import('./file.ts')
  const folder = dirname(file)
  const path = (path: string, flag: Flag) => {
    const isPath = flag.path === 'always' ? !/^(-$|env:)/.test(path) : /[/\\]|\.ya?ml/i.test(path)
    return isPath ? resolve(folder, path) : path
  }
  return { name, ...parseConfig(text, name, { flags: known, path, folder, trusted }) }
}

/** What people write by hand is a small file; reading a pipe of that name would never end. */
async function textOf(file: string): Promise<string> {
  const stats = await stat(file)
  if (!stats.isFile()) throw new Error('not a regular file')
  if (stats.size > 1_000_000) throw new Error('larger than 1 MB')
  return readFile(file, 'utf8')
}
