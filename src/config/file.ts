import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { UsageError } from '../errors.ts'
import type { Flag } from './flag.ts'
import { type Given, givenByValue } from './given.ts'
import { nearest } from './key.ts'

/** What a configuration file says, by key. */
export interface ConfigFile {
  readonly settings: ReadonlyMap<string, Given>
  readonly profiles: ReadonlyMap<string, ReadonlyMap<string, Given>>
}

export interface ParseOptions {
  /** All flags that may be set, by key. */
  readonly flags: ReadonlyMap<string, Flag>
  /** Resolves a path in the file. */
  readonly path: (text: string, flag: Flag) => string
  /** That the file is in: an absolute path. */
  readonly folder: string
  /** Whether the user chose the file, so that it may set `trusted` flags. */
  readonly trusted: boolean
}

/**
 * Reads a configuration file and checks all of it, profiles that are not used too: a mistake is found before the night
 * it is needed.
 * @param name of the file, for messages
 * @throws UsageError with file, line, column, and the nearest key there is
 */
export function parseConfig(
  text: string,
  name: string,
  { flags, path, folder, trusted }: ParseOptions,
): ConfigFile {
  const lineCounter = new LineCounter()
  const at = (node: Node | number | undefined) => {
    const offset = typeof node === 'number' ? node : node?.range?.[0]
    if (offset === undefined) return name
    const { line, col } = lineCounter.linePos(offset)
    return `${name}:${line}:${col}`
  }
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw new UsageError(`${at(problem.pos[0])}: ${problem.message}`)
  const root = document.contents
  // Nothing but comments.
  if (root === null || (isScalar(root) && root.value === null))
    return { settings: new Map(), profiles: new Map() }

  const entriesOf = (node: unknown, what: string): [string, Node, Node | undefined][] => {
    if (!isMap(node)) throw new UsageError(`${at(node as Node)}: ${what} must map names of flags to values`)
    return (node as YAMLMap).items.map(({ key, value }) => [
      isScalar(key) ? String(key.value) : '',
      key as Node,
      (value as Node | null) ?? undefined,
    ])
  }
  const settingsIn = (node: unknown, what: string, more: readonly string[] = []) => {
    const settings = new Map<string, Given>()
    for (const [key, keyNode, value] of entriesOf(node, what)) {
      if (more.includes(key)) continue
      const flag = flags.get(key)
      if (flag === undefined) {
        const near = nearest(key.replace(/^no-/, ''), [...flags.keys(), ...more])
        throw new UsageError(
          `${at(keyNode)}: there is no setting ${JSON.stringify(key)}${near === undefined ? '' : `; did you mean ${near}?`}`,
        )
      }
      if (flag.trusted && !trusted) throw new UsageError(`${at(keyNode)}: ${key} ${notFromHere}`)
      const plain: unknown = value?.toJS(document, { maxAliasCount: 100 })
      const seen = flag.path !== undefined && typeof plain === 'string' ? path(plain, flag) : plain
      const origin = at(keyNode).replace(/:\d+$/, '')
      const given = givenByValue(flag, seen, `${at(value ?? keyNode)}: ${key}`, origin)
      const inFolder = flag.placedIn?.(folder)
      settings.set(key, inFolder === undefined ? given : { ...given, value: inFolder(given.value as never) })
    }
    return settings
  }
  const profiles = new Map<string, ReadonlyMap<string, Given>>()
  const settings = settingsIn(root, name, ['profiles'])
  const named = (root as YAMLMap).get('profiles', true) as unknown
  if (named !== undefined) {
    for (const [profile, , value] of entriesOf(named, '`profiles`'))
      profiles.set(profile, settingsIn(value, `the profile ${JSON.stringify(profile)}`))
  }
  return { settings, profiles }
}

const notFromHere =
  'counts only in a file that you chose, since it runs a program or lifts a protection; move it to ~/.config/claude-batch/config.yaml, or name this file with --config'
