import type { InputProblem } from '../../../core/document/document.ts'
import { openCompoundFile } from './compound-file.ts'

/** What a compound file is by the streams in it. */
export type CompoundFormat = 'doc' | 'msg' | 'xls' | 'ppt' | 'encrypted' | 'unknown'

/** Returns what a compound file is; `unknown` if it is damaged. */
export function detectCompoundFormat(bytes: Buffer): CompoundFormat {
  const streams = listStreams(bytes)
  return formatByStream.find(([stream]) => streams.has(stream))?.[1] ?? 'unknown'
}

/** A file can contain others, so only the streams of its main folder count. */
function listStreams(bytes: Buffer): ReadonlyMap<string, unknown> {
  try {
    return openCompoundFile(bytes).streams
  } catch {
    return new Map()
  }
}

const formatByStream: readonly (readonly [string, CompoundFormat])[] = [
  ['encryptedpackage', 'encrypted'],
  ['__properties_version1.0', 'msg'],
  ['worddocument', 'doc'],
  ['powerpoint document', 'ppt'],
  ['workbook', 'xls'],
  ['book', 'xls'],
]

/** The problem of an Office file with a password. */
export const encryptedProblem: InputProblem = {
  action: 'fail',
  type: 'encrypted',
  message: 'it is protected by a password',
}
