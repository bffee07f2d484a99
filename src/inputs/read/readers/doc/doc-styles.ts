import { toHeadingLevel, type WordStyle, type WordStyles } from '../word/word-styles.ts'
import { properties, readProperties } from './property-changes.ts'

interface Style {
  heading?: number
  parent: number
  list?: number
  listLevel?: number
  outline?: number
  isHidden?: boolean
}

/** Returns the styles of a file by their numbers. @param part of the file with the styles */
export function readDocStyles(part: Buffer): WordStyles {
  const styles = readStyles(part)
  const find = (name: string | undefined): WordStyle => {
    const chain: Style[] = []
    const ids: string[] = []
    for (let id = Number(name ?? '0'), n = 0; n < maxParents; n++) {
      const style = styles[id]
      if (style === undefined) break
      ids.push(String(id))
      chain.push(style)
      id = style.parent
    }
    const first = <T>(get: (style: Style) => T | undefined): T | undefined =>
      chain.map(get).find((value) => value !== undefined)
    const list = first(({ list }) => list)
    return {
      ids,
      listId: list === undefined ? undefined : String(list),
      listLevel: first(({ listLevel }) => listLevel),
      headingLevel: first(
        ({ heading, outline }) => heading ?? (outline === undefined ? undefined : toHeadingLevel(outline)),
      ),
      isHidden: first(({ isHidden }) => isHidden),
    }
  }
  return { find, isHidden: (id) => find(id).isHidden === true }
}

/** Maximum number of styles that one is based on, which also ends circles. */
const maxParents = 20

/** The number of the style Title; the headings are 1 to 9. */
const titleNumber = 62

function readStyles(part: Buffer): readonly (Style | undefined)[] {
  if (part.length < 6) return []
  const styles: (Style | undefined)[] = []
  const count = part.readUInt16LE(2)
  const baseBytes = part.readUInt16LE(4)
  let at = 2 + part.readUInt16LE(0)
  while (styles.length < count && at + 2 <= part.length) {
    const length = part.readUInt16LE(at)
    styles.push(readStyle(part.subarray(at + 2, at + 2 + length), baseBytes))
    at += 2 + length
  }
  return styles
}

function readStyle(bytes: Buffer, baseBytes: number): Style | undefined {
  if (bytes.length < Math.max(10, baseBytes) + 2) return undefined
  const number = bytes.readUInt16LE(0) & 0xfff
  const [kind, parent] = [bytes.readUInt16LE(2) & 0xf, bytes.readUInt16LE(2) >> 4]
  const style: Style = { parent }
  if (number >= 1 && number <= 9) style.heading = number
  if (number === titleNumber) style.heading = 1
  // The name, with its length before it and a zero after it.
  let at = toEven(baseBytes + 4 + 2 * bytes.readUInt16LE(baseBytes))
  while (at + 2 <= bytes.length) {
    const length = bytes.readUInt16LE(at)
    const isParagraph =
      kind === paragraphStyle && at === toEven(baseBytes + 4 + 2 * bytes.readUInt16LE(baseBytes))
    readProperties(bytes.subarray(at + (isParagraph ? 4 : 2), at + 2 + length), (property, operand) => {
      if (property === properties.list) style.list = operand.readInt16LE(0)
      if (property === properties.listLevel) style.listLevel = operand.readUInt8(0)
      if (property === properties.outline) style.outline = operand.readUInt8(0)
      if (property === properties.isHidden) style.isHidden = operand.readUInt8(0) === 1
    })
    at = toEven(at + 2 + length)
  }
  return style
}

const paragraphStyle = 1

function toEven(position: number): number {
  return position + (position % 2)
}
