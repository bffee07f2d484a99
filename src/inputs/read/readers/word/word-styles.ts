import { parseOfficeXml } from '../office-namespaces.ts'
import type { Zip } from '../zip.ts'

/** What a paragraph or its style says about its numbering, its heading level and its visibility. */
export interface ParagraphProperties {
  readonly listId?: string | undefined
  /** Level in the list, from 0. */
  readonly listLevel?: number | undefined
  /** Level of a heading, from 1. */
  readonly headingLevel?: number | undefined
  readonly isHidden?: boolean | undefined
}

/** A style with everything that it inherits. */
export interface WordStyle extends ParagraphProperties {
  /** The style's id and those of the styles that it is based on. */
  readonly ids: readonly string[]
}

/** The styles of a Word document, by id. */
export interface WordStyles {
  /** Returns a style; for an unknown or missing id, the default style of paragraphs. */
  find(id: string | undefined): WordStyle
  isHidden(id: string): boolean
}

interface StyleEntry {
  readonly isDefault: boolean
  name: string
  parent?: string | undefined
  listId?: string | undefined
  listLevel?: number | undefined
  outline?: number | undefined
  isHidden?: boolean
}

/** Returns the styles that a part defines; no styles if there is no such part. */
export async function readWordStyles(zip: Zip, part: string | undefined): Promise<WordStyles> {
  const entries = new Map<string, StyleEntry>()
  if (part === undefined || !zip.has(part)) return createStyles(entries)
  let style: StyleEntry | undefined
  let oldProperties = 0
  await parseOfficeXml(zip.streamPart(part), {
    onOpen(name, attributes) {
      if (name.endsWith('Change')) oldProperties++
      const value = attributes['w:val']
      if (name === 'w:style') {
        const isDefault = isOn(attributes['w:default'] ?? '0') && attributes['w:type'] === 'paragraph'
        style = { isDefault, name: '' }
        entries.set(attributes['w:styleId'] ?? '', style)
      } else if (style === undefined || oldProperties > 0) return
      else if (name === 'w:name') style.name = value ?? ''
      else if (name === 'w:basedOn') style.parent = value
      else if (name === 'w:numId') style.listId = value
      else if (name === 'w:ilvl') style.listLevel = parseLevel(value)
      else if (name === 'w:outlineLvl') style.outline = parseLevel(value)
      else if (name === 'w:vanish') style.isHidden = isOn(value)
    },
    onClose(name) {
      if (name.endsWith('Change')) oldProperties--
      if (name === 'w:style') style = undefined
    },
  })
  return createStyles(entries)
}

function createStyles(entries: ReadonlyMap<string, StyleEntry>): WordStyles {
  const resolved = new Map<string, WordStyle>()
  const defaultId = [...entries].find(([, { isDefault }]) => isDefault)?.[0] ?? ''
  const find = (id = defaultId): WordStyle => {
    const known = entries.has(id) ? id : defaultId
    const style = resolved.get(known) ?? resolve(known, entries)
    resolved.set(known, style)
    return style
  }
  return { find, isHidden: (id) => entries.has(id) && find(id).isHidden === true }
}

/** Maximum number of styles that one is based on, which also ends circles. */
const maxParents = 50

function resolve(id: string, entries: ReadonlyMap<string, StyleEntry>): WordStyle {
  const chain: StyleEntry[] = []
  const ids: string[] = []
  let at: string | undefined = id
  while (at !== undefined && chain.length < maxParents) {
    const entry = entries.get(at)
    if (entry === undefined) break
    ids.push(at)
    chain.push(entry)
    at = entry.parent
  }
  const first = <T>(get: (entry: StyleEntry) => T | undefined): T | undefined =>
    chain.map(get).find((value) => value !== undefined)
  return {
    ids,
    listId: first(({ listId }) => listId),
    listLevel: first(({ listLevel }) => listLevel),
    headingLevel: first(findHeadingLevel),
    isHidden: first(({ isHidden }) => isHidden),
  }
}

function findHeadingLevel({ name, outline }: StyleEntry): number | undefined {
  const level = /^heading ([1-9])$/i.exec(name)?.[1]
  if (level !== undefined) return Number(level)
  if (/^title$/i.test(name)) return 1
  return outline === undefined ? undefined : toHeadingLevel(outline)
}

/** Returns the heading level, from 1, of an outline level from 0; 0 for level 9, which is body text. */
export function toHeadingLevel(outline: number): number {
  return outline < 9 ? outline + 1 : 0
}

/** Whether a switch such as `<w:vanish w:val="0"/>` is on; without a value it is. */
export function isOn(value: string | undefined): boolean {
  return value === undefined || !/^(?:0|false|off)$/i.test(value)
}

/** Returns a level from 0 to 9; 0 for anything else. */
export function parseLevel(value: string | undefined): number {
  const level = Number.parseInt(value ?? '', 10)
  return level >= 0 && level <= 9 ? level : 0
}
