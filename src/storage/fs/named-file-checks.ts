import { type GeneratedFormat, isGenerated, signatureBytes } from '../../core/report/generated-marker.ts'
import { openExistingRegularFile } from './regular-file.ts'

/**
 * Returns the reason not to replace a file with a report or an export: claude-batch did not write it. Returns undefined if
 * the file may be replaced.
 * @throws the system's error
 */
export async function checkReportOverwrite(
  file: string,
  format: GeneratedFormat,
): Promise<string | undefined> {
  const beginning = await readPiece(file, (size) => ({ from: 0, bytes: Math.min(size, signatureBytes) }))
  if (beginning === undefined || isGenerated(format, beginning)) return undefined
  return 'the file was not written by claude-batch'
}

/**
 * Returns the reason not to append to a log: neither of the file's last two complete lines is a log entry.
 * Returns undefined if entries may be appended.
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
  // A crash or a full disk may cut the last line short. A later run ends such a line, so two lines are
  // checked.
  const completeLines = fileEnd.split('\n').slice(0, -1)
  const lastEntries = completeLines.filter((line) => line.trim() !== '').slice(-2)
  if (lastEntries.some(isEntry)) return undefined
  return 'the last line of the file is not an entry of a request log'
}

/** Bytes. An entry contains a path and a message. */
const maxEntryBytes = 256 * 1024

/** Reads a piece of a file; returns undefined if the file is empty or does not exist. */
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
