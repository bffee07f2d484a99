import { isUtf8 } from 'node:buffer'
import type { InputProblem } from '../../../core/document/document.ts'
import { isCompoundFile } from './compound-file.ts'
import { detectCompoundFormat } from './compound-format.ts'
import {
  convertTo,
  findFormatByExtension,
  findFormatBySignature,
  type UnsupportedFormat,
  zip,
} from './formats-without-reader.ts'

/**
 * Returns why a file of a format without a reader cannot be read, and what to do instead; undefined for
 * text and for unknown formats. A text that only begins like such a file is text.
 */
export function findUnsupportedFormat(path: string, bytes: Buffer): InputProblem | undefined {
  const start = bytes.toString('latin1', 0, 512)
  if (isCompoundFile(bytes)) return findOldOfficeFormat(path, bytes)
  if (start.startsWith('PK\x03\x04')) return findZipFormat(path, bytes)
  const bySignature = findFormatBySignature(start)
  if (bySignature !== undefined) return isText(bytes) ? undefined : toProblem(bySignature)
  const byName = findFormatByExtension(findExtension(path))
  const isBinary = byName !== undefined && !isUtf16(start) && bytes.subarray(0, 65_536).includes(0)
  return isBinary ? toProblem(byName) : undefined
}

function toProblem({ name, advice }: UnsupportedFormat): InputProblem {
  return { action: 'fail', type: 'binary', message: `not text (${name}); ${advice}` }
}

function findExtension(path: string): string {
  return /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
}

function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !bytes.includes(0)
}

function isUtf16(start: string): boolean {
  return start.startsWith('\xff\xfe') || start.startsWith('\xfe\xff')
}

/** Returns the format of an Office 97 file that no reader takes. */
function findOldOfficeFormat(path: string, bytes: Buffer): InputProblem {
  const found = detectCompoundFormat(bytes)
  const format = findFormatByExtension(found === 'unknown' ? findExtension(path) : found)
  return format === undefined ? oldOfficeProblem : toProblem(format)
}

const oldOfficeProblem: InputProblem = {
  action: 'fail',
  type: 'binary',
  message: 'not text (an old Office file, or one with a password); save it as .docx, .xlsx or .pptx',
}

/** Returns the format of an archive that no reader takes. */
function findZipFormat(path: string, bytes: Buffer): InputProblem {
  if (bytes.includes('xl/workbook.bin'))
    return toProblem({ name: 'a binary Excel file', advice: convertTo('xlsx'), extensions: [] })
  const isApple = ['.iwa', 'index.apxl', 'Index.zip', 'buildVersionHistory.plist'].some((part) =>
    bytes.includes(part),
  )
  const byName = findFormatByExtension(findExtension(path))
  if (isApple && byName !== undefined) return toProblem(byName)
  return toProblem(
    isApple
      ? { name: 'a document of Pages, Numbers or Keynote', advice: 'export it to PDF', extensions: [] }
      : zip,
  )
}
