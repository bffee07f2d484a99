import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { findNearestName } from '../core/text/find-nearest-name.ts'
import { UsageError } from '../errors.ts'
import type { Flag } from './flag.ts'
import { parseConfigValue, type SettingValue } from './setting-value.ts'

/** The settings of a configuration file, by key. */
export interface ParsedConfig {
  readonly settings: ReadonlyMap<string, SettingValue>
  readonly profiles: ReadonlyMap<string, ReadonlyMap<string, SettingValue>>
}

export interface ParseConfigOptions {
  /** All flags that a configuration file may set, by key. */
  readonly flags: ReadonlyMap<string, Flag>
  /** Resolves a path in the file. */
  readonly resolvePath: (text: string, flag: Flag) => string
  /** Absolute path of the file's folder. */
  readonly folder: string
  /** Whether the user chose the file, so that it may set flags with `requiresTrust`. */
  readonly trusted: boolean
}

/**
 * Parses a configuration file and checks all of it. Profiles that are not used are checked too, so that a
 * mistake is found before the profile is needed.
 * @param name the file's name in messages
 * @throws UsageError with file, line, column and the most similar key
 */
export function parseConfig(
  text: string,
  name: string,
  { flags, resolvePath, folder, trusted }: ParseConfigOptions,
): ParsedConfig {
  const lineCounter = new LineCounter()
  const formatPosition = (node: Node | number | undefined) => {
    const offset = typeof node === 'number' ? node : node?.range?.[0]
    if (offset === undefined) return name
    const { line, col } = lineCounter.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined)
    throw new UsageError(`${formatPosition(problem.pos[0])}: not valid YAML: ${problem.message}`)
  const root = document.contents
  // The file is empty or has only comments.
  if (root === null || (isScalar(root) && root.value === null))
    return { settings: new Map(), profiles: new Map() }

  const readEntries = (node: unknown, description: string): [string, Node, Node | undefined][] => {
    if (!isMap(node))
      throw new UsageError(
        `${formatPosition(node as Node)}: ${description} must have settings, such as "model: haiku", each on its own line`,
      )
    return (node as YAMLMap).items.map(({ key, value }) => [
      isScalar(key) ? String(key.value) : '',
      key as Node,
      (value as Node | null) ?? undefined,
    ])
  }
  const readSettings = (node: unknown, description: string, reservedKeys: readonly string[] = []) => {
    const settings = new Map<string, SettingValue>()
    for (const [key, keyNode, value] of readEntries(node, description)) {
      if (reservedKeys.includes(key)) continue
      const flag = flags.get(key)
      if (flag === undefined) {
        const suggestion = findNearestName(key.replace(/^no-/, ''), [...flags.keys(), ...reservedKeys])
        throw new UsageError(
          `${formatPosition(keyNode)}: there is no setting ${JSON.stringify(key)}; ${suggestion === undefined ? 'settings are flags without --, see docs/configuration.md' : `did you mean ${suggestion}?`}`,
        )
      }
      if (flag.requiresTrust && !trusted)
        throw new UsageError(`${formatPosition(keyNode)}: ${key} ${needsTrustMessage}`)
      const yamlValue: unknown = value?.toJS(document, { maxAliasCount: 100 })
      const resolvedValue =
        flag.path !== undefined && typeof yamlValue === 'string' ? resolvePath(yamlValue, flag) : yamlValue
      const origin = formatPosition(keyNode).replace(/:\d+$/, '')
      const settingValue = parseConfigValue(
        flag,
        resolvedValue,
        `${formatPosition(value ?? keyNode)}: ${key}`,
        origin,
      )
      const resolveInFolder = flag.resolveIn?.(folder)
      settings.set(
        key,
        resolveInFolder === undefined
          ? settingValue
          : { ...settingValue, value: resolveInFolder(settingValue.value as never) },
      )
    }
    return settings
  }
  const profiles = new Map<string, ReadonlyMap<string, SettingValue>>()
  const settings = readSettings(root, name, ['profiles'])
  const profilesNode = (root as YAMLMap).get('profiles', true) as unknown
  if (profilesNode !== undefined) {
    for (const [profile, , value] of readEntries(profilesNode, '`profiles`'))
      profiles.set(profile, readSettings(value, `the profile ${JSON.stringify(profile)}`))
  }
  return { settings, profiles }
}

const needsTrustMessage =
  'counts only in a file that you chose, since it runs a program or lifts a protection; move it to ~/.config/claude-batch/config.yaml, or name this file with --config'
