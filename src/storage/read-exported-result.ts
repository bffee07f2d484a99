import { stripFrontMatter } from '../core/document/front-matter.ts'
import { summarySuffix } from '../core/document/output-path.ts'
import type { ExportedResult } from '../core/report/exported-result.ts'
import { hashText } from './fs/file-hash.ts'
import type { CurrentResult } from './ledger/current-results.ts'
import { readOutputText } from './ledger/latest-results.ts'

/**
 * Reads the summary of a result from disk, so that an edit by hand is not lost. A link is not followed.
 * @param out the output folder; absolute
 */
export async function readExportedResult(out: string, result: CurrentResult): Promise<ExportedResult> {
  const { entry, isSimulated } = result
  const { output, status } = entry
  const none = { entry, isSimulated, text: undefined, isJson: false, isEdited: false }
  if (status !== 'summarized' || output === undefined) return none
  const whole = await readOutputText(out, output.path)
  if (whole === undefined) return none
  const text = stripFrontMatter(whole, entry)
  return {
    ...none,
    text: text.trimEnd(),
    isJson: isStructured(result),
    // A run that was killed may have written front matter that it did not record.
    isEdited: ![whole, text].map(hashText).includes(output.sha256),
  }
}

/** Whether a schema asked for JSON, by the name of the summary. */
export function isStructured({ entry: { output, status } }: CurrentResult): boolean {
  return status === 'summarized' && output?.path.endsWith(summarySuffix) === false
}
