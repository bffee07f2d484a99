import { parseOfficeXml } from '../office-namespaces.ts'
import type { Zip } from '../zip.ts'
import { isOn, parseLevel, type WordStyles } from './word-styles.ts'

/** How one level of a list is numbered. */
interface ListLevel {
  start: number
  /** `decimal`, `bullet`, `lowerRoman` and so on. */
  format: string
  /** The label, with `%1` for the number of the first level: `%1.%2`. */
  text: string
  /** Whether all numbers in the label are decimal. */
  isLegal: boolean
  /** The number of levels after which this one starts again; 0 for never. */
  restartAfter?: number | undefined
  /** The id of the paragraph style that has this level. */
  styleId?: string | undefined
}

/** A list: its levels, and the counters that it shares with other lists of the same definition. */
export interface WordList {
  readonly countersId: string
  readonly levels: ReadonlyMap<number, ListLevel>
  /** The numbers with which this list starts its levels again. */
  readonly startOverrides: ReadonlyMap<number, number>
}

interface Definition {
  readonly levels: Map<number, ListLevel>
  styleLink?: string | undefined
  numStyleLink?: string | undefined
}

interface ListEntry {
  definitionId: string
  readonly levels: Map<number, ListLevel>
  readonly startOverrides: Map<number, number>
}

/** Returns the lists that a part defines, by id; none if there is no such part. */
export async function readWordLists(
  zip: Zip,
  part: string | undefined,
  styles: WordStyles,
): Promise<ReadonlyMap<string, WordList>> {
  if (part === undefined || !zip.has(part)) return new Map()
  const definitions = new Map<string, Definition>()
  const entries = new Map<string, ListEntry>()
  let [definition, entry, level]: [Definition?, ListEntry?, ListLevel?] = []
  let overridden = 0
  await parseOfficeXml(zip.streamPart(part), {
    onOpen(name, attributes) {
      const value = attributes['w:val']
      if (name === 'w:abstractNum') {
        definition = { levels: new Map() }
        definitions.set(attributes['w:abstractNumId'] ?? '', definition)
      } else if (name === 'w:num') {
        entry = { definitionId: '', levels: new Map(), startOverrides: new Map() }
        entries.set(attributes['w:numId'] ?? '', entry)
      } else if (name === 'w:lvl') {
        level = { start: 1, format: 'decimal', text: '', isLegal: false }
        ;(entry ?? definition)?.levels.set(parseLevel(attributes['w:ilvl']), level)
      } else if (name === 'w:abstractNumId' && entry !== undefined) entry.definitionId = value ?? ''
      else if (name === 'w:lvlOverride') overridden = parseLevel(attributes['w:ilvl'])
      else if (name === 'w:startOverride') entry?.startOverrides.set(overridden, parseNumber(value))
      else if (name === 'w:styleLink' && definition !== undefined) definition.styleLink = value
      else if (name === 'w:numStyleLink' && definition !== undefined) definition.numStyleLink = value
      else if (level !== undefined) setLevelProperty(level, name, value)
    },
    onClose(name) {
      if (name === 'w:abstractNum') definition = undefined
      if (name === 'w:num') entry = undefined
      if (name === 'w:lvl') level = undefined
    },
  })
  return linkLists(definitions, entries, styles)
}

function setLevelProperty(level: ListLevel, name: string, value: string | undefined): void {
  if (name === 'w:start') level.start = parseNumber(value)
  else if (name === 'w:numFmt') level.format = value ?? level.format
  else if (name === 'w:lvlText') level.text = value ?? ''
  else if (name === 'w:isLgl') level.isLegal = isOn(value)
  else if (name === 'w:lvlRestart') level.restartAfter = parseLevel(value)
  else if (name === 'w:pStyle') level.styleId = value
}

function linkLists(
  definitions: ReadonlyMap<string, Definition>,
  entries: ReadonlyMap<string, ListEntry>,
  styles: WordStyles,
): ReadonlyMap<string, WordList> {
  const byStyle = new Map([...definitions].map(([id, { styleLink }]) => [styleLink, id]))
  const lists = new Map<string, WordList>()
  for (const [id, { definitionId, levels, startOverrides }] of entries) {
    // A definition can refer to a style, whose list has the levels.
    const link = definitions.get(definitionId)?.numStyleLink
    const countersId =
      link === undefined
        ? definitionId
        : (byStyle.get(link) ?? entries.get(styles.find(link).listId ?? '')?.definitionId ?? definitionId)
    const own = definitions.get(countersId)?.levels ?? new Map<number, ListLevel>()
    lists.set(id, {
      countersId,
      levels: levels.size === 0 ? own : new Map([...own, ...levels]),
      startOverrides,
    })
  }
  return lists
}

function parseNumber(value: string | undefined): number {
  return Number.parseInt(value ?? '', 10) || 0
}
