/** The content of a compound file: streams, and folders with more of them. */
export interface CompoundContent {
  readonly [name: string]: Buffer | CompoundContent
}

const sectorBytes = 4096
const endOfChain = 0xff_ff_ff_fe
const freeSector = 0xff_ff_ff_ff
const none = 0xff_ff_ff_ff
const [folderType, streamType, rootType] = [1, 2, 5]

interface Entry {
  readonly name: string
  readonly type: number
  readonly content: Buffer
  right: number
  child: number
  start: number
}

/** Returns a compound file, such as a .doc or a .msg. Its directory has a chain in place of a tree. */
export function createCompoundFile(content: CompoundContent): Buffer {
  const entries: Entry[] = []
  addEntry(entries, 'Root Entry', content, rootType)
  const sectors: Buffer[] = []
  const table: number[] = []
  const addChain = (bytes: Buffer): number => {
    const count = Math.ceil(bytes.length / sectorBytes)
    const start = sectors.length
    for (let n = 0; n < count; n++) {
      const sector = Buffer.alloc(sectorBytes)
      bytes.copy(sector, 0, n * sectorBytes)
      sectors.push(sector)
      table.push(n === count - 1 ? endOfChain : start + n + 1)
    }
    return count === 0 ? endOfChain : start
  }
  for (const entry of entries) if (entry.type === streamType) entry.start = addChain(entry.content)
  const directoryStart = addChain(Buffer.concat(entries.map(formatEntry)))
  const tableSectors = Math.ceil((table.length + 1) / (sectorBytes / 4 - 1))
  const tableStart = sectors.length
  for (let n = 0; n < tableSectors; n++) table.push(0xff_ff_ff_fd)
  const tableBytes = Buffer.alloc(tableSectors * sectorBytes, 0xff)
  for (const [sector, next] of table.entries()) tableBytes.writeUInt32LE(next, sector * 4)
  const header = Buffer.alloc(sectorBytes, 0)
  header.write('d0cf11e0a1b11ae1', 'hex')
  header.writeUInt16LE(0x3e, 24)
  header.writeUInt16LE(4, 26)
  header.writeUInt16LE(0xfffe, 28)
  header.writeUInt16LE(12, 30)
  header.writeUInt16LE(6, 32)
  header.writeUInt32LE(tableSectors, 44)
  header.writeUInt32LE(directoryStart, 48)
  // Streams of all sizes are in ordinary sectors.
  header.writeUInt32LE(0, 56)
  header.writeUInt32LE(endOfChain, 60)
  header.writeUInt32LE(endOfChain, 68)
  for (let n = 0; n < 109; n++)
    header.writeUInt32LE(n < tableSectors ? tableStart + n : freeSector, 76 + n * 4)
  return Buffer.concat([header, ...sectors, tableBytes])
}

function addEntry(entries: Entry[], name: string, content: Buffer | CompoundContent, type: number): number {
  const index = entries.length
  const bytes = Buffer.isBuffer(content) ? content : Buffer.alloc(0)
  const entry: Entry = { name, type, content: bytes, right: none, child: none, start: endOfChain }
  entries.push(entry)
  if (Buffer.isBuffer(content)) return index
  let last: Entry | undefined
  for (const [innerName, inner] of Object.entries(content)) {
    const at = addEntry(entries, innerName, inner, Buffer.isBuffer(inner) ? streamType : folderType)
    if (last === undefined) entry.child = at
    else last.right = at
    last = entries[at]
  }
  return index
}

function formatEntry({ name, type, content, right, child, start }: Entry): Buffer {
  const bytes = Buffer.alloc(128)
  bytes.write(name, 0, 62, 'utf16le')
  bytes.writeUInt16LE(Math.min(31, name.length) * 2 + 2, 64)
  bytes.writeUInt8(type, 66)
  bytes.writeUInt32LE(none, 68)
  bytes.writeUInt32LE(right, 72)
  bytes.writeUInt32LE(child, 76)
  bytes.writeUInt32LE(start, 116)
  bytes.writeUInt32LE(content.length, 120)
  return bytes
}
