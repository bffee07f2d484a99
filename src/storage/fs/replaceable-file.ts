import { beginningBytes, isGenerated, type ReportFormat } from '../../core/document/generated-marker.ts'
import { openRegular } from './regular-file.ts'

/**
 * Says why a file may not be replaced by a report: claude-batch did not write it. Undefined where it may.
 * @throws the system's error
 */
export async function objectionToReport(file: string, format: ReportFormat): Promise<string | undefined> {
  const beginning = await pieceOf(file, (size) => ({ from: 0, bytes: Math.min(size, beginningBytes) }))
  if (beginning === undefined || isGenerated(format, beginning)) return undefined
  return 'a file is there that claude-batch did not write'
}

/**
 * Says why a file may not be appended to as a log: neither of its last two complete lines is an entry of one. Undefined where it may.
 * @throws the system's error
 */
export async function objectionToLog(
  file: string,
  isEntry: (line: string) => boolean,
): Promise<string | undefined> {
  const end = await pieceOf(file, (size) => ({
    from: Math.max(0, size - longestLine),
    bytes: Math.min(size, longestLine),
  }))
  if (end === undefined) return undefined
  // What is behind the last line end was cut short by a crash or a full disk; a later run may have ended such a line.
  const complete = end.split('\n').slice(0, -1)
  const last = complete.filter((line) => line.trim() !== '').slice(-2)
  if (last.some(isEntry)) return undefined
  return 'a file is there whose last line is not an entry of a request log'
}

/** Bytes. An entry has a path and a message in it. */
const longestLine = 256 * 1024

/** A piece of a file; undefined where the file is empty or not there. */
async function pieceOf(
  file: string,
  which: (size: number) => { readonly from: number; readonly bytes: number },
): Promise<string | undefined> {
  const handle = await openRegular(file)
  if (handle === undefined) return undefined
  try {
    const { size } = await handle.stat()
    if (size === 0) return undefined
    const { from, bytes } = which(size)
    const piece = Buffer.alloc(bytes)
    const { bytesRead } = await handle.read(piece, 0, bytes, from)
    return piece.subarray(0, bytesRead).toString('utf8')
  } finally {
    await handle.close()
  }
}
