import { readFile, stat } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { toUtf8 } from '../core/text/to-utf8.ts'
import { UsageError } from '../errors.ts'
import { expandHome } from './expand-home.ts'
import type { Flag } from './flag.ts'
import type { LocatedConfig } from './locate-config.ts'
import type { ParsedConfig } from './parse-config.ts'

/** A parsed configuration file and its name in messages. */
export type NamedConfig = ParsedConfig & { readonly name: string }

/**
 * Reads and checks one configuration file.
 * @param env names the user's home folder, for paths that begin with `~/`
 * @throws UsageError if it cannot be read or has a mistake
 */
export async function readConfig(
  { file, trusted }: LocatedConfig,
  knownFlags: ReadonlyMap<string, Flag>,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<NamedConfig> {
  const relativePath = relative(cwd, file)
  const name = relativePath.startsWith('..') ? file : relativePath
  const text = await readConfigText(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `cannot read the configuration ${name}: ${error.code === 'ENOENT' ? 'no such file' : (error.code ?? error.message)}`,
    )
  })
  const { parseConfig } = await import('./parse-config.ts')
  const folder = dirname(file)
  const resolvePath = (value: string, flag: Flag) => {
    const isPath = flag.path === 'always' ? !/^(-$|env:)/.test(value) : /[/\\]|\.ya?ml/i.test(value)
    return isPath ? resolve(folder, expandHome(value, env)) : value
  }
  return { name, ...parseConfig(text, name, { flags: knownFlags, resolvePath, folder, trusted }) }
}

/**
 * Reads a small regular file. A configuration file is written by hand, and reading a pipe would never end.
 */
async function readConfigText(file: string): Promise<string> {
  const stats = await stat(file)
  if (!stats.isFile()) throw new Error('not a regular file')
  if (stats.size > 1_000_000) throw new Error('larger than 1 MB')
  return toUtf8(await readFile(file)).toString('utf8')
}
