import { resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { findUnknownVariables, readVariable } from './environment-variables.ts'
import { expandHome } from './expand-home.ts'
import type { Flag } from './flag.ts'
import { getConfigKey, getVariableName } from './flag-names.ts'
import { type LocateConfigOptions, locateConfig } from './locate-config.ts'
import { type NamedConfig, readConfig } from './read-config.ts'
import { combineSettingValues, parseVariableValue, type SettingValue } from './setting-value.ts'

export interface ResolveSettingsOptions extends LocateConfigOptions {
  /** All flags that a configuration file may set, by key: one file serves all commands. */
  readonly knownFlags: ReadonlyMap<string, Flag>
  /** The value of `--config` on the command line. */
  readonly config: string | undefined
  readonly profile: string | undefined
  /**
   * Whether the command line sets the flag with this name in the table. The flag's variable is then not
   * parsed.
   */
  readonly isOnCommandLine: (name: string) => boolean
  /** Called with a warning for each variable that looks like a setting but is not one. */
  readonly onWarning: (warning: string) => void
}

/**
 * Returns the values that the environment and the configuration files set, by the flags' names in the table.
 * Flags on the command line are left out, except those that accumulate. Variables override the profile, which
 * overrides the rest of the files.
 * @throws UsageError for a wrong value, a missing profile or a file that cannot be used
 */
export async function resolveSettings(
  flags: Readonly<Record<string, Flag>>,
  options: ResolveSettingsOptions,
): Promise<ReadonlyMap<string, SettingValue>> {
  const { env, knownFlags, cwd, isOnCommandLine } = options
  const readOption = (name: 'config' | 'profile') =>
    options[name] ?? (env[`CLAUDE_BATCH_${name.toUpperCase()}`] || undefined)
  const [configFile, profile] = [readOption('config'), readOption('profile')]
  const locatedFiles =
    configFile === undefined
      ? await locateConfig(options)
      : [{ file: resolve(cwd, configFile), trusted: true }]
  const files: NamedConfig[] = []
  for (const located of locatedFiles) files.push(await readConfig(located, knownFlags, cwd, env))
  const fileSettings = mergeConfigs(files, profile, knownFlags)

  const settings = new Map<string, SettingValue>()
  for (const [name, flag] of Object.entries(flags)) {
    if (name === 'config' || name === 'profile' || (isOnCommandLine(name) && !flag.accumulates)) continue
    const variable = readVariable(flag, env)
    const text = variable !== undefined && flag.path !== undefined ? expandHome(variable, env) : variable
    const value = combineSettingValues(flag, [
      fileSettings.get(getConfigKey(flag)),
      text === undefined ? undefined : parseVariableValue(flag, text, getVariableName(flag)),
    ])
    if (value !== undefined) settings.set(name, value)
  }
  for (const warning of findUnknownVariables(knownFlags.values(), env)) options.onWarning(warning)
  return settings
}

/**
 * Merges configuration files: later ones override earlier ones, and the chosen profile of any file overrides
 * all settings outside profiles.
 */
function mergeConfigs(
  files: readonly NamedConfig[],
  profile: string | undefined,
  knownFlags: ReadonlyMap<string, Flag>,
): ReadonlyMap<string, SettingValue> {
  const profileLayers = profile === undefined ? [] : files.flatMap((file) => file.profiles.get(profile) ?? [])
  if (profile !== undefined && profileLayers.length === 0) throw createMissingProfileError(files, profile)
  const layers = [...files.map(({ settings }) => settings), ...profileLayers]
  const keys = new Set(layers.flatMap((layer) => [...layer.keys()]))
  const settings = new Map<string, SettingValue>()
  for (const key of keys) {
    const value = combineSettingValues(
      knownFlags.get(key),
      layers.map((layer) => layer.get(key)),
    )
    if (value !== undefined) settings.set(key, value)
  }
  return settings
}

function createMissingProfileError(files: readonly NamedConfig[], profile: string): UsageError {
  if (files.length === 0)
    return new UsageError(
      `--profile ${profile}: there is no claude-batch.yaml here or above; name one with --config`,
    )
  const descriptions = files.map(({ name, profiles }) =>
    profiles.size === 0 ? `${name} has no profiles` : `${name} has only ${[...profiles.keys()].join(', ')}`,
  )
  return new UsageError(`--profile ${profile}: there is no profile of that name; ${descriptions.join(', ')}`)
}
