import { isGenerated, type ReportFormat, signatureBytes } from '../../core/report/generated-marker.ts'
import { openExistingRegularFile } from './regular-file.ts'

/**
 * Says why a file may not be replaced by a report: claude-batch did not write it. Undefined where it may.
 * @throws the system's error
 */
export async function checkReportOverwrite(file: string, format: ReportFormat): Promise<string | undefined> {
  const beginning = await readPiece(file, (size) => ({ from: 0, bytes: Math.min(size, signatureBytes) }))
  if (beginning === undefined || isGenerated(format, beginning)) return undefined
  return 'the file was not written by claude-batch'
}

/**
 * Says why a file may not be appended to as a log: neither of its last two complete lines is an entry of one. Undefined where it may.
 * @throws the system's error
 */
export async function checkLogOverwrite(
  file: string,
  isEntry: (line: string) => boolean,
): Promise<string | undefined> {
  const fileEnd = await readPiece(file, (size) => ({
    from: Math.max(0, size - maxEntryBytes),
    bytes: Math.min(size, maxEntryBytes),
  }))
  if (fileEnd === undefined) return undefined
  // What is behind the last line end was cut short by a crash or a full disk; a later run may have ended such a line.
  const completeLines = fileEnd.split('\n').slice(0, -1)
  const lastEntries = completeLines.filter((line) => line.trim() !== '').slice(-2)
  if (lastEntries.some(isEntry)) return undefined
  return 'the last line of the file is not an entry of a request log'
}

/** Bytes. An entry has a path and a message in it. */
const maxEntryBytes = 256 * 1024

/** A piece of a file; undefined where the file is empty or not there. */
async function readPiece(
  file: string,
  selectRange: (size: number) => { readonly from: number; readonly bytes: number },
): Promise<string | undefined> {
  const handle = await openExistingRegularFile(file)
  if (handle === undefined) return undefined
  try {
    const { size } = await handle.stat()
    if (size === 0) return undefined
    const { from, bytes } = selectRange(size)
    const piece = Buffer.alloc(bytes)
    const { bytesRead } = await handle.read(piece, 0, bytes, from)
    return piece.subarray(0, bytesRead).toString('utf8')
  } finally {
    await handle.close()
  }
}
