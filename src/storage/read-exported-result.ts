import { stripFrontMatter } from '../core/document/front-matter.ts'
import { stripSummarySuffix, summarySuffix } from '../core/document/output-path.ts'
import type { ExportedResult } from '../core/report/exported-result.ts'
import { hashText } from './fs/file-hash.ts'
import type { CurrentResult } from './ledger/current-results.ts'
import { readOutputText } from './ledger/latest-results.ts'

/**
 * Reads the summary of a result as it is on disk, so that an edit by hand is not lost. A link is not followed.
 * @param out the output folder; absolute
 */
export async function readExportedResult(
  out: string,
  { entry, isSimulated }: CurrentResult,
): Promise<ExportedResult> {
  const { output, status } = entry
  const none = { entry, isSimulated, text: undefined, isJson: false, isEdited: false }
  if (status !== 'summarized' || output === undefined) return none
  const whole = await readOutputText(out, output.path)
  if (whole === undefined) return none
  const text = stripFrontMatter(whole, entry)
  return {
    ...none,
    text: text.trimEnd(),
    isJson: stripSummarySuffix(output.path) !== undefined && !output.path.endsWith(summarySuffix),
    // A run that was killed may have written front matter that it did not record.
    isEdited: ![whole, text].map(hashText).includes(output.sha256),
  }
}
