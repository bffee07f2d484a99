import { maxUnpackedBytes } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'

/** A folder in a compound file: what Word, Excel, PowerPoint (97 to 2003) and Outlook write. */
export interface CompoundFolder {
  /** Names are in lower case. */
  readonly streams: ReadonlyMap<string, CompoundStream>
  readonly folders: ReadonlyMap<string, CompoundFolder>
}

interface CompoundStream {
  /** Bytes, as the directory says. */
  readonly size: number
  /**
   * Returns its content; of a damaged file, what there is.
   * @throws UnreadableError for too many bytes altogether, or if the file is cut off before the end of the stream
   */
  read(): Buffer
}

/** The first bytes of a compound file, each as one character. */
const compoundSignature = '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'

/**
 * Opens a compound file. All bytes that are read are counted together, and no chain of sectors is longer than the file,
 * so that a hostile file cannot take more memory than its size allows.
 * @see https://learn.microsoft.com/openspecs/windows_protocols/ms-cfb
 * @throws UnreadableError if it has no directory, or the file is cut off before the end of the directory
 */
export function openCompoundFile(bytes: Buffer): CompoundFolder {
  if (bytes.toString('latin1', 0, 8) !== compoundSignature || bytes.length < headerBytes) throw damaged()
  const sectorShift = bytes.readUInt16LE(30)
  if (sectorShift !== 9 && sectorShift !== 12) throw damaged()
  const sectorBytes = 1 << sectorShift
  const sectors: SectorSpace = {
    count: Math.ceil(bytes.length / sectorBytes) - 1,
    get: (sector) => bytes.subarray((sector + 1) * sectorBytes, (sector + 2) * sectorBytes),
  }
  const table = joinSectors(listTableSectors(bytes, sectors), sectors)
  const readChain = (start: number, size: number) =>
    joinSectors(followChain(table, start, sectors.count), sectors, size)
  const directory = readChain(bytes.readUInt32LE(48), maxDirectoryBytes)
  const root = readEntry(directory, 0)
  if (root === undefined) throw damaged()
  let small: { readonly table: Buffer; readonly sectors: SectorSpace } | undefined
  const openSmall = () => {
    if (small !== undefined) return small
    const container = readChain(root.start, root.size)
    const smallTable = readChain(bytes.readUInt32LE(60), maxDirectoryBytes)
    const count = Math.ceil(container.length / smallSectorBytes)
    const get = (sector: number) =>
      container.subarray(sector * smallSectorBytes, (sector + 1) * smallSectorBytes)
    small = { table: smallTable, sectors: { count, get } }
    return small
  }
  let readBytes = 0
  const openStream = ({ start, size }: DirectoryEntry): CompoundStream => ({
    size,
    read() {
      readBytes += Math.min(size, bytes.length)
      if (readBytes > maxUnpackedBytes)
        throw new UnreadableError('too_large', `it holds more than ${maxUnpackedBytes / 1e6} MB`)
      if (size >= bytes.readUInt32LE(56)) return readChain(start, size)
      const { table: smallTable, sectors: smallSectors } = openSmall()
      return joinSectors(followChain(smallTable, start, smallSectors.count), smallSectors, size)
    },
  })
  return readFolder(directory, root, openStream)
}

/** Whether bytes begin like a compound file. */
export function isCompoundFile(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 8) === compoundSignature
}

const headerBytes = 512
const smallSectorBytes = 64
const entryBytes = 128
/** More than the directory of any file that can be read. */
const maxDirectoryBytes = 16_000_000
/** Sector numbers from here on are marks, such as the end of a chain. */
const firstMark = 0xff_ff_ff_fa

/** Sectors by number. A number beyond the end gives an empty buffer. */
interface SectorSpace {
  readonly count: number
  get(sector: number): Buffer
}

/** Returns the sectors with the allocation table: the first 109 are in the header, the others in a chain. */
function listTableSectors(bytes: Buffer, sectors: SectorSpace): readonly number[] {
  const numbers: number[] = []
  const addAll = (list: Buffer, end: number) => {
    for (let at = 0; at + 4 <= end; at += 4) {
      const sector = list.readUInt32LE(at)
      if (sector < firstMark) numbers.push(sector)
    }
  }
  addAll(bytes.subarray(76, headerBytes), headerBytes - 76)
  let next = bytes.readUInt32LE(68)
  for (let n = 0; n < sectors.count && next < sectors.count; n++) {
    const list = sectors.get(next)
    if (list.length < 4) break
    addAll(list, list.length - 4)
    next = list.readUInt32LE(list.length - 4)
    // The table of a complete file has one sector for at least 127 others.
    if (numbers.length > sectors.count) break
  }
  return numbers
}

/** Returns the sectors of a chain; a circle ends after as many sectors as there are. */
function* followChain(table: Buffer, start: number, count: number): Generator<number> {
  let sector = start
  for (let n = 0; n < count && sector < firstMark; n++) {
    yield sector
    if ((sector + 1) * 4 > table.length) return
    sector = table.readUInt32LE(sector * 4)
  }
}

/**
 * Returns the content of sectors.
 * @param maxBytes how much of it
 * @throws UnreadableError if the file ends before a sector: what is left would pass for the whole document
 */
function joinSectors(
  chain: Iterable<number>,
  sectors: SectorSpace,
  maxBytes = Number.POSITIVE_INFINITY,
): Buffer {
  const parts: Buffer[] = []
  let length = 0
  for (const sector of chain) {
    if (length >= maxBytes) break
    const part = sectors.get(sector)
    if (part.length === 0)
      throw new UnreadableError('malformed', 'the file is incomplete; download or copy it again')
    parts.push(part)
    length += part.length
  }
  return Buffer.concat(parts, Math.min(length, maxBytes))
}

interface DirectoryEntry {
  readonly name: string
  readonly type: number
  readonly left: number
  readonly right: number
  readonly child: number
  readonly start: number
  readonly size: number
}

const [folderType, streamType] = [1, 2]

function readEntry(directory: Buffer, index: number): DirectoryEntry | undefined {
  const at = index * entryBytes
  if (at + entryBytes > directory.length) return undefined
  const nameBytes = Math.min(64, directory.readUInt16LE(at + 64))
  return {
    name: directory.toString('utf16le', at, at + Math.max(0, nameBytes - 2)).toLowerCase(),
    type: directory.readUInt8(at + 66),
    left: directory.readUInt32LE(at + 68),
    right: directory.readUInt32LE(at + 72),
    child: directory.readUInt32LE(at + 76),
    start: directory.readUInt32LE(at + 116),
    size: directory.readUInt32LE(at + 120),
  }
}

function readFolder(
  directory: Buffer,
  root: DirectoryEntry,
  openStream: (entry: DirectoryEntry) => CompoundStream,
): CompoundFolder {
  const top = createFolder()
  const seen = new Set<number>()
  const pending = [{ index: root.child, folder: top }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { index, folder } = next
    const entry = seen.has(index) ? undefined : readEntry(directory, index)
    if (entry === undefined) continue
    seen.add(index)
    pending.push({ index: entry.right, folder }, { index: entry.left, folder })
    if (entry.type === streamType) folder.streams.set(entry.name, openStream(entry))
    if (entry.type !== folderType) continue
    const inner = createFolder()
    folder.folders.set(entry.name, inner)
    pending.push({ index: entry.child, folder: inner })
  }
  return top
}

/** A folder while it is read. */
interface OpenFolder extends CompoundFolder {
  readonly streams: Map<string, CompoundStream>
  readonly folders: Map<string, OpenFolder>
}

function createFolder(): OpenFolder {
  return { streams: new Map(), folders: new Map() }
}

function damaged(): UnreadableError {
  return new UnreadableError('malformed', 'it is damaged: it has no directory')
}
