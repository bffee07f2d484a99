type Label = readonly [one: string, many: string]

/** Labels of the codes that do not read well, in the singular and in the plural. */
const labels: Readonly<Record<string, string | Label>> = {
  // Reasons for skipping a document, or for failing it before a request.
  duplicate: ['duplicate', 'duplicates'],
  earlier_output: ['output file of an earlier run', 'output files of earlier runs'],
  beyond_limit: 'left out by --limit',
  excluded_folder: ['excluded folder', 'excluded folders'],
  in_the_way: 'blocked by a directory',
  annex_pointer: ['git-annex pointer', 'git-annex pointers'],
  lfs_pointer: ['Git LFS pointer', 'Git LFS pointers'],
  link: ['symbolic link', 'symbolic links'],
  modified: 'edited by hand',
  lock_file: ['lock file of Office', 'lock files of Office'],
  not_a_pdf: ['not a PDF', 'not PDFs'],
  not_a_word_document: ['not a Word document', 'not Word documents'],
  not_an_epub: ['not an EPUB', 'not EPUBs'],
  not_an_excel_workbook: ['not an Excel workbook', 'not Excel workbooks'],
  not_an_html_page: ['not an HTML page', 'not HTML pages'],
  not_an_e_mail: ['not an e-mail', 'not e-mails'],
  not_a_file: ['not a regular file', 'not regular files'],
  in_batch: 'in a batch',
  failed_before: 'failed before',
  not_failed: 'without an error record',
  not_simulated: 'kept: made with the API',
  other_settings: 'kept: made with other settings',
  not_utf8: 'not UTF-8',
  outside: 'behind a symbolic link',
  untracked: 'not written by claude-batch',
  // Quality issues.
  copy: ['near-copy', 'near-copies'],
  language: 'in the wrong language',
  length: 'of the wrong length',
}

/**
 * Returns the words for a code of the JSON output, to be shown after a count: `2 duplicates`.
 * @param code the type of a skipped document, a failure or a quality issue
 */
export function describeCode(code: string, count: number): string {
  const label = labels[code] ?? code.replaceAll('_', ' ')
  return typeof label === 'string' ? label : label[count === 1 ? 0 : 1]
}

/** Returns the retries of a run by cause: `HTTP 529: 2, connection error: 1`. */
export function describeRetryCauses(
  retriesByCause: Iterable<readonly [cause: string, count: number]>,
): string {
  return [...retriesByCause]
    .sort(([, a], [, b]) => b - a)
    .map(([cause, count]) => `${describeRetryCause(cause)}: ${count}`)
    .join(', ')
}

/** Returns the cause of a retry in words. @param cause an HTTP status or the type of an error */
function describeRetryCause(cause: string): string {
  if (/^\d{3}$/.test(cause)) return `HTTP ${cause}`
  return cause === 'unknown' ? 'unknown cause' : cause.replaceAll('_', ' ')
}
