import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import type { Flag } from './flag.ts'
import { combined, type Given, givenByText } from './given.ts'
import { keyOf, variableOf } from './key.ts'
import { type LocateOptions, locateConfig } from './locate.ts'
import { type NamedConfig, readConfig } from './read-config.ts'
import { unknownVariables, variableText } from './variables.ts'

export interface ApplyOptions extends LocateOptions {
  /** All flags that a file may set, by key: one file serves all commands. */
  readonly known: ReadonlyMap<string, Flag>
  /** As given on the command line. */
  readonly config: string | undefined
  readonly profile: string | undefined
  /** Whether the command line sets the flag of that name in the table, so that its variable does not matter. */
  readonly isOnCommandLine: (name: string) => boolean
  /** Reports a variable that looks like a setting and is none. */
  readonly warn: (warning: string) => void
}

/**
 * Returns what the environment and the configuration files set for those of a command's flags that the command line
 * does not set, by the flags' names in the table. Variables override the profile, which overrides the rest of the files.
 * @throws UsageError
 */
export async function settingsFor(
  table: Readonly<Record<string, Flag>>,
  options: ApplyOptions,
): Promise<ReadonlyMap<string, Given>> {
  const { env, known, cwd, isOnCommandLine } = options
  const variable = (name: 'config' | 'profile') =>
    options[name] ?? (env[`CLAUDE_BATCH_${name.toUpperCase()}`] || undefined)
  const [named, profile] = [variable('config'), variable('profile')]
  const located =
    named === undefined ? await locateConfig(options) : [{ file: resolve(cwd, named), trusted: true }]
  const files: NamedConfig[] = []
  for (const one of located) files.push(await readConfig(one, known, cwd))
  const fromFiles = merged(files, profile, known)

  const settings = new Map<string, Given>()
  for (const [name, flag] of Object.entries(table)) {
    if (name === 'config' || name === 'profile' || (isOnCommandLine(name) && !flag.adds)) continue
    const text = variableText(flag, env)
    const given = combined(flag, [
      fromFiles.get(keyOf(flag)),
      text === undefined ? undefined : givenByText(flag, text, variableOf(flag)),
    ])
    if (given !== undefined) settings.set(name, given)
  }
  for (const warning of unknownVariables(known.values(), env)) options.warn(warning)
  return settings
}

/**
 * What the files come to: later ones override earlier ones, and the chosen profile of any file overrides what is outside
 * profiles.
 */
function merged(
  files: readonly NamedConfig[],
  profile: string | undefined,
  known: ReadonlyMap<string, Flag>,
): ReadonlyMap<string, Given> {
  const chosen = profile === undefined ? [] : files.flatMap((file) => file.profiles.get(profile) ?? [])
  if (profile !== undefined && chosen.length === 0) throw noProfile(files, profile)
  const layers = [...files.map(({ settings }) => settings), ...chosen]
  const keys = new Set(layers.flatMap((layer) => [...layer.keys()]))
  const settings = new Map<string, Given>()
  for (const key of keys) {
    const given = combined(
      known.get(key),
      layers.map((layer) => layer.get(key)),
    )
    if (given !== undefined) settings.set(key, given)
  }
  return settings
}

function noProfile(files: readonly NamedConfig[], profile: string): UsageError {
  if (files.length === 0)
    return new UsageError(
      `--profile ${profile}: there is no claude-batch.yaml here or above; name one with --config`,
    )
  const has = files.map(({ name, profiles }) =>
    profiles.size === 0
      ? `${name} has no profiles`
      : `${name} has the profiles ${[...profiles.keys()].join(', ')}`,
  )
  return new UsageError(`--profile ${profile}: ${has.join(', ')}`)
}
