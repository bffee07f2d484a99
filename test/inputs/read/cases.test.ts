import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createDocumentReader } from '../../../src/inputs/read/read-document.ts'

const warnings: string[] = []
const read = createDocumentReader({
  cwd: resolve(import.meta.dirname, '../../../fixtures/kinds'),
  stdin: Readable.from([]),
  pdf: 'auto',
  onWarning: (text) => warnings.push(text),
})

/** Reads a document as if it was found in a folder: its text, or how it fails. */
async function readCase(path: string): Promise<string> {
  const result = await read({ index: 0, path, namedByUser: false })
  if ('action' in result) return `${result.action} ${result.type}`
  if (result.upload === undefined) return result.text
  return `uploaded: ${result.upload.type === 'pdf' ? result.upload.pages : result.upload.images.length} pages`
}

const mailHead =
  'Subject: Figures\nFrom: Ann Example <ann@example.org>\nTo: Bob Example <bob@example.org>\nDate: 2024-03-04T09:00:00.000Z'

/** Small documents that were once read wrongly, each of a kind of fault, and texts that they must contain. */
const cases: readonly (readonly [file: string, ...texts: (string | RegExp)[]])[] = [
  ['docx-fldsimple.docx', 'Table 7: customer MERGED-NAME'],
  ['docx-header.docx', /^HEADER-LETTERHEAD 12 March 2024, File no\. 77\n/],
  ['docx-math.docx', 'The energy is E=mc^2 in joules.'],
  ['docx-short-letter.docx', /^Room 204 is closed on Thursday; meet in 310\.$/],
  ['eml-calendar-only.eml', '## Appointment: CALENDAR-SUMMARY', 'When: 2024-03-11 10:00 UTC', 'Room 204'],
  ['eml-forward-as-attachment.eml', 'FORWARDED-BODY the price is 4711 euro.', 'Subject: Offer'],
  ['eml-no-blank-headers.eml', /^Just a text that somebody called mail\.eml, without any header\.\n\nSecond/],
  ['eml-smime-encrypted.eml', 'fail encrypted'],
  ['eml-stub-text.eml', mailHead, 'HTML-BODY with what was really said'],
  ['epub-footnote-aside.epub', 'FOOTNOTE-IN-ASIDE with the source.', 'SIDEBAR-IN-ASIDE a case study.'],
  ['epub-jpeg-in-spine.epub', /^# Comic\n\nFALLBACK-TEXT$/],
  ['epub-latin1.epub', 'LATIN1 café größe'],
  ['epub-nbsp-entity.epub', /5\s?km—café … ENTITIES/],
  ['html-aside-note.html', 'WARNING-IN-ASIDE never mix the two.'],
  ['html-display-none.html', /^Seen\.$/],
  ['html-head-omitted.html', '# HEAD-NOT-CLOSED', 'Long and real content of the page'],
  ['html-math-annotation.html', /^Energy E=mc\^2 ok$/],
  ['html-meta-late.html', /^Привет мир$/],
  ['html-noscript-content.html', 'REAL-CONTENT Long and real content'],
  ['html-one-bad-byte.html', 'Größe Übung Ärger naïve café.', 'ä one stray byte'],
  ['html-small-main.html', 'REAL-CONTENT Long and real content'],
  ['ipynb-data-uri.ipynb', /^Figure: !\[x\]\(\[image\]\)$/],
  ['ipynb-html-only.ipynb', 'HTML-RESULT', 'MARKDOWN-RESULT'],
  ['ipynb-nan.ipynb', 'Output:\nnan', 'Text with more than enough words.'],
  ['md-data-uri.md', 'Figure: ![x]([image])', 'The end.'],
  [
    'ods-repeat-covered-hidden.ods',
    'SAME | SAME | SAME | next\nwide |  | third-column\ntwice\ntwice',
    '[hidden sheet Hidden skipped]',
  ],
  ['odt-password.odt', 'fail encrypted'],
  ['pdf-annotations.pdf', 'FREETEXT-ANNOTATION', 'STICKY-NOTE the price must be 4711'],
  ['pdf-backward-columns.pdf', '37,499.96 DIRECTOR BAIN'],
  ['pdf-cover-text-then-scans.pdf', /^uploaded: 10 pages$/],
  ['pdf-form-filled.pdf', 'Name: FIELD-VALUE ANN EXAMPLE', 'Amount: 4711', 'Accept [x]'],
  ['pdf-xfa-please-wait.pdf', /^XFA-CAPTION: XFA-VALUE$/],
  ['pptx-chart.pptx', 'CHART-TITLE', ' | SERIES-NAME\n2023 | 4711'],
  ['pptx-smartart.pptx', 'SMARTART-STEP-ONE collect'],
  ['srt-empty-line-in-cue.srt', /^First line\.\nSTILL-THE-FIRST cue\.\nSecond line\.$/],
  ['srt-no-blank-lines.srt', /^First line\.\nSecond line\.$/],
  ['xhtml-selfclosing.xhtml', 'XHTML-BODY', 'AFTER-TEXTAREA'],
  ['xlsx-comment-textbox.xlsx', 'cell | 0.3', '[Comment on A1: CELL-COMMENT]', 'TEXT-BOX'],
  ['xlsx-x-prefix.xlsx', 'PREFIXED | 4711'],
  ['zip-newline-after.docx', 'more than sixty-four characters of text'],
]

describe('a document that was once read wrongly', () => {
  const rows = cases.map(([file, ...texts]) => ({ file, texts }))
  it.each(rows)('is read right: $file', async ({ file, texts }) => {
    const text = await readCase(file)
    for (const expected of texts)
      if (typeof expected === 'string') expect(text).toContain(expected)
      else expect(text).toMatch(expected)
    expect(text).not.toMatch(/base64,|\ufffd|<IPython|-->|UNSEEN|HIDDEN-/)
  })

  it('reports bytes that are not UTF-8 once', () => {
    expect(warnings.filter((text) => text.includes('html-one-bad-byte'))).toHaveLength(1)
  })
})
