import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { errorRecordSuffix, stateFolder, stripSummarySuffix } from '../../core/document/output-path.ts'

/**
 * Returns the name of the document that a summary or error record belongs to; undefined for any other file
 * name.
 */
export function findDocumentName(name: string): string | undefined {
  const stem = stripSummarySuffix(
    name.includes('.conflict-') ? name.replace(/\.conflict-\d+(?=\.\w+$)/, '') : name,
  )
  if (stem !== undefined) return stem
  // An error record is named after a file with an extension, so `build.error.txt` is not one.
  return name.endsWith(errorRecordSuffix) && /\..+\.error\.txt$/.test(name)
    ? name.slice(0, -errorRecordSuffix.length)
    : undefined
}

/**
 * Whether a file that the user named is a summary or error record of an earlier run. A shell glob may name
 * such files unintentionally. The name alone is not enough: the file must also lie next to its document, or
 * below a folder that is or was an output folder. Elsewhere it is an ordinary file with such a name.
 */
export async function isEarlierOutput(file: string, out: string | undefined): Promise<boolean> {
  const documentName = findDocumentName(basename(file))
  if (documentName === undefined) return false
  if (await isPresent(join(dirname(file), documentName))) return true
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (folder === out || (await isPresent(join(folder, stateFolder)))) return true
    if (folder === dirname(folder)) return false
  }
}

function isPresent(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  )
}

/** The problem of an earlier output. For a file that was found in a folder, its name is enough. */
export const earlierOutputProblem: InputProblem = {
  action: 'skip',
  type: 'earlier_output',
  message: 'by its name, the output of an earlier run',
}

/** The problem of a report or digest in a searched folder, recognized by its content or from the ledger. */
export const earlierReportProblem: InputProblem = {
  action: 'skip',
  type: 'earlier_output',
  message: 'a report or digest that claude-batch made',
}
