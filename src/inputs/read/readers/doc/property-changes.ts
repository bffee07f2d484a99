/** Receives one property. @param operand its value */
export type OnProperty = (property: number, operand: Buffer) => void

/** Properties (sprms) that the reader knows, by their codes in the specification. */
export const properties = {
  isDeleted: 0x0800,
  isHidden: 0x083c,
  characterStyle: 0x4a30,
  font: 0x4a4f,
  raised: 0x2a48,
  symbol: 0x6a09,
  hasData: 0x0806,
  dataPosition: 0x6a03,
  isInTable: 0x2416,
  endsRow: 0x2417,
  tableDepth: 0x6649,
  endsInnerCell: 0x244b,
  endsInnerRow: 0x244c,
  list: 0x460b,
  listLevel: 0x260a,
  outline: 0x2640,
  moreParagraphProperties: 0x6646,
  evenMoreParagraphProperties: 0x6645,
  rowDefinition: 0xd608,
} as const

const tabStops = 0xc615

/**
 * Passes each property of a list (grpprl) to a function. A list that is cut off ends before the property.
 * @see https://learn.microsoft.com/openspecs/office_file_formats/ms-doc
 */
export function readProperties(bytes: Buffer, onProperty: OnProperty): void {
  let at = 0
  while (at + 3 <= bytes.length) {
    const property = bytes.readUInt16LE(at)
    at += 2
    const { skip, length } = measureOperand(property, bytes, at)
    at += skip
    if (at + length > bytes.length) return
    onProperty(property, bytes.subarray(at, at + length))
    at += length
  }
}

/** Returns the size of an operand, and of the number before it that says the size. Bytes. */
function measureOperand(property: number, bytes: Buffer, at: number): { skip: number; length: number } {
  const kind = property >> 13
  if (kind !== 6) return { skip: 0, length: fixedLengths[kind] ?? 1 }
  if (property === properties.rowDefinition)
    return { skip: 2, length: at + 2 > bytes.length ? bytes.length : Math.max(0, bytes.readUInt16LE(at) - 1) }
  const length = bytes[at] ?? 0
  return property === tabStops && length === 255
    ? { skip: 1, length: measureTabStops(bytes, at + 1) }
    : { skip: 1, length }
}

const fixedLengths = [1, 1, 2, 4, 2, 2, 0, 3]

/** Tab stops with more than 254 bytes: deleted ones with 4 bytes each, then added ones with 3. */
function measureTabStops(bytes: Buffer, at: number): number {
  const deleted = 1 + (bytes[at] ?? 0) * 4
  return deleted + 1 + (bytes[at + deleted] ?? 0) * 3
}
