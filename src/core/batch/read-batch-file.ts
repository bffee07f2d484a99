import { isObject } from '../text/shape.ts'
import type { BatchItem } from './batch.ts'
import {
  type BatchFile,
  type BatchFileProblem,
  type BatchHeader,
  batchFileVersion,
  createdShape,
  headerShape,
  type ItemSettings,
  itemShape,
  sealedShape,
  settingsShape,
  settledShape,
  toBatchItem,
  toItemSettings,
} from './batch-file.ts'

/** A parser that gets a batch file line by line. */
export interface BatchFileReader {
  readLine(line: string): void
  /** Returns the parsed file, or why it cannot be used. @param name the local id in the name of the file */
  finish(name: string): BatchFile | BatchFileProblem
}

/**
 * Creates a parser for a batch file. The file is untrusted, so every field of a line is checked. An invalid
 * line makes the file unusable, unless the batch was never sent: the line that seals it is written when all others are
 * on the disk, and it is sent after that. Without this line, a power failure may have damaged any other.
 * @param resolvePath converts a document path, relative to a recorded working directory, to the path in this
 * run
 */
export function createBatchFileReader(resolvePath: (base: string, path: string) => string): BatchFileReader {
  const items = new Map<string, BatchItem>()
  const settingsTable: ItemSettings[] = []
  const settledIds = new Set<string>()
  let header: BatchHeader | undefined
  let version: unknown
  let [sealedAt, id]: [number?, string?] = []
  let lineCount = 0
  let damagedLine: number | undefined
  /** Whether it has a line that is only written after it was sent. */
  let wasSent = false

  const acceptHeader = (line: unknown): boolean => {
    // Format 1 called the field `v`.
    if (isObject(line)) version = line['format_version'] ?? line['v']
    if (!headerShape.matches(line)) return false
    header = { localId: line.local_id, endpoint: line.base_url, cwd: line.cwd }
    return true
  }
  const acceptLine = (line: unknown): boolean => {
    if (lineCount === 1) return acceptHeader(line)
    if (createdShape.matches(line)) id = line.batch_id
    if (settledShape.matches(line)) for (const name of line.custom_ids) settledIds.add(name)
    wasSent ||= createdShape.matches(line) || settledShape.matches(line)
    if (sealedAt !== undefined) return true
    if (sealedShape.matches(line)) {
      sealedAt = Date.parse(line.sealed_at)
      return true
    }
    if (settingsShape.matches(line) && line.settings === settingsTable.length) {
      settingsTable.push(toItemSettings(line))
      return true
    }
    const settings = itemShape.matches(line) ? settingsTable[line.settings] : undefined
    if (!itemShape.matches(line) || settings === undefined || header === undefined) return false
    const item = toBatchItem(line, settings)
    items.set(line.custom_id, { ...item, path: resolvePath(header.cwd, item.path) })
    return true
  }
  return {
    readLine(line) {
      if (line === '') return
      lineCount++
      // Lines after the seal may be torn. `acceptLine` accepts them, because they are written again.
      if (!acceptLine(parseJson(line))) damagedLine ??= lineCount
    },
    finish(name) {
      if (version !== undefined && version !== batchFileVersion) return { version }
      if ((sealedAt !== undefined || wasSent) && damagedLine !== undefined) return { damagedLine }
      const { localId = name, endpoint = '', cwd = '' } = header ?? {}
      if (localId !== name) return { damagedLine: 1 }
      return { localId, endpoint, cwd, items, sealedAt, id, settledIds }
    },
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
