import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { errorRecordSuffix, stateFolder, stripSummarySuffix } from '../../core/document/output-path.ts'

/** The name of the document that a summary or record of ours is about; undefined for any other file. */
export function findDocumentName(name: string): string | undefined {
  const stem = stripSummarySuffix(name)
  if (stem !== undefined) return stem
  // A record is called after a file with an extension; `build.error.txt` is somebody's own.
  return name.endsWith(errorRecordSuffix) && /\..+\.error\.txt$/.test(name)
    ? name.slice(0, -errorRecordSuffix.length)
    : undefined
}

/**
 * Whether a file that somebody named is a summary or record of ours. A shell names such files without being asked to,
 * so its name counts where its place speaks for it too: beside its document, or below a folder that is, or was, for
 * output. Anywhere else it is somebody's own, which was named like that.
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

/** The problem of such a file; one that was only found, and not named, has it for its name alone. */
export const earlierOutputProblem: InputProblem = {
  action: 'skip',
  type: 'earlier_output',
  message: 'by its name, the output of an earlier run',
}

/** The problem of a report or digest that was found among the documents: known by its content, or from the ledger. */
export const earlierReportProblem: InputProblem = {
  action: 'skip',
  type: 'earlier_output',
  message: 'a report or digest that claude-batch made',
}
