import { readFile, stat } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import type { Flag } from './flag.ts'
import { type Given, givenByText } from './given.ts'
import { keyOf, variableOf } from './key.ts'
import { type LocateOptions, locateConfig } from './locate.ts'

export interface ApplyOptions extends LocateOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** All flags that a file may set, by key: one file serves all commands. */
  readonly known: ReadonlyMap<string, Flag>
  /** As given on the command line. */
  readonly config: string | undefined
  readonly profile: string | undefined
}

/**
 * What the environment and a configuration file say about a command's flags, by the flags' names in the table: variables
 * go before the profile, which goes before the rest of the file.
 * @throws UsageError
 */
export async function settingsFor(
  table: Readonly<Record<string, Flag>>,
  options: ApplyOptions,
): Promise<ReadonlyMap<string, Given>> {
  const { env, known } = options
  const variable = (name: 'config' | 'profile') =>
    options[name] ?? (env[`CLAUDE_BATCH_${name.toUpperCase()}`] || undefined)
  const [named, profile] = [variable('config'), variable('profile')]
  const file = named === undefined ? await locateConfig(options) : resolve(options.cwd, named)
  const fromFile = file === undefined ? undefined : await settingsIn(file, profile, known, options.cwd)
  if (fromFile === undefined && profile !== undefined)
    throw new UsageError(
      `--profile ${profile}: there is no claude-batch.yaml here or above; name one with --config`,
    )

  const settings = new Map<string, Given>()
  for (const [name, flag] of Object.entries(table)) {
    const text = env[variableOf(flag)]
    const given =
      text === undefined || text === ''
        ? fromFile?.get(keyOf(flag))
        : givenByText(flag, text, variableOf(flag))
    if (given !== undefined && name !== 'config' && name !== 'profile') settings.set(name, given)
  }
  return settings
}

async function settingsIn(
  file: string,
  profile: string | undefined,
  known: ReadonlyMap<string, Flag>,
  cwd: string,
): Promise<ReadonlyMap<string, Given>> {
  const shown = relative(cwd, file)
  const name = shown.startsWith('..') ? file : shown
  const text = await textOf(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read the configuration ${name}: ${error.code ?? error.message}`)
  })
  const { parseConfig } = await import('./file.ts')
  const inFile = (path: string, flag: Flag) => {
    const isPath = flag.path === 'always' ? !/^(-$|env:)/.test(path) : /[/\\]|\.ya?ml/i.test(path)
    return isPath ? resolve(dirname(file), path) : path
  }
  const { settings, profiles } = parseConfig(text, name, known, inFile)
  if (profile === undefined) return settings
  const chosen = profiles.get(profile)
  if (chosen === undefined) {
    const there = profiles.size === 0 ? 'no profiles' : `the profiles ${[...profiles.keys()].join(', ')}`
    throw new UsageError(`--profile ${profile}: ${name} has ${there}`)
  }
  return new Map([...settings, ...chosen])
}

/** What people write by hand is a small file; reading a pipe of that name would never end. */
async function textOf(file: string): Promise<string> {
  const stats = await stat(file)
  if (!stats.isFile()) throw new Error('not a regular file')
  if (stats.size > 1_000_000) throw new Error('larger than 1 MB')
  return readFile(file, 'utf8')
}
