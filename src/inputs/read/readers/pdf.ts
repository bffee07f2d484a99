import { editMarked, joinMarked, type Mark, type MarkedText } from '../../../core/document/mark.ts'
import { joinHyphens } from './join-hyphens.ts'
import { type PdfFile, withPdf } from './load-pdfjs.ts'
import { isFillable } from './pdf-annotations.ts'
import { type PdfPage, readPdfPage } from './pdf-page.ts'
import { findPagesWithPictures } from './pdf-pictures.ts'
import { checkTextLength } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'

/** Maximum number of pages. A longer PDF is a collection of documents. */
const maxPages = 5000

/** Minimum characters per page, without white space. A stamp or a page number on a scanned page has fewer. */
const minCharsPerPage = 32

/**
 * `text`: extract text, never upload; `native`: upload the PDF; `auto`: extract text, upload PDFs with scanned
 * pages.
 */
export type PdfMode = 'auto' | 'text' | 'native'

/** The text of a PDF; or its number of pages, if the PDF is uploaded. */
export interface PdfContent {
  readonly text: string
  /** The number of pages that are uploaded. */
  readonly pages?: number
  /** Where each page begins in the text. */
  readonly marks?: readonly Mark[]
  /** The pages that are uploaded, if `text` has the text of the others. */
  readonly scans?: Uint8Array
  /** The text of the pages that are uploaded, if it is known. */
  readonly uploadedText?: MarkedText
}

export interface PdfOptions {
  readonly mode: PdfMode
  /** Whether summaries will cite the document. With mode `native`, its text is then extracted, too. */
  readonly citations?: boolean | undefined
}

/**
 * Returns the text of a PDF page by page, in the order in which it was written, with the values of form fields
 * and with notes. In mode `auto`, scanned pages are uploaded, with all others if they are many; in mode `text`,
 * the text names them. An encrypted PDF is never uploaded, because the API refuses it.
 * With mode `native`, only the number of pages is returned, unless summaries will cite them.
 * @throws UnreadableError if the PDF has a password or too many pages, or if its pages are images and it is
 *   not uploaded
 */
export async function readPdf(
  bytes: Uint8Array,
  { mode, citations = false }: PdfOptions,
): Promise<PdfContent> {
  return withPdf(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), async (file) => {
    const { numPages: pages } = file
    if (pages > maxPages)
      throw new UnreadableError('too_complex', `it has ${pages} pages, more than ${maxPages}; split it`)
    const { EncryptFilterName, IsXFAPresent } = (await file.getMetadata()).info as Readonly<
      Record<string, unknown>
    >
    const isEncrypted = EncryptFilterName != null
    if (IsXFAPresent && !(await hasFillableFields(file))) {
      if (isEncrypted)
        throw new UnreadableError('encrypted', `it is an XFA form and encrypted; ${decryptionAdvice}`)
      const { readXfaForm } = await import('./xfa-form.ts')
      return { text: await readXfaForm(await file.getData()) }
    }
    const canUpload = mode !== 'text' && !isEncrypted
    if (mode === 'native' && canUpload)
      return { text: '', pages, ...(citations && (await readCitable(file))) }
    const read = await readPages(file)
    // With half of the pages, all of them are uploaded: the model then sees them together.
    const maxScans = canUpload ? Math.ceil(pages / 2) : pages
    const scans = await findScans(file, read, maxScans)
    if (canUpload && scans.size > 0)
      return (
        (scans.size < maxScans && (await attachScans(file, read, scans))) || {
          text: '',
          pages,
          ...toUploadedText(read),
        }
      )
    if (scans.size === pages) throw new UnreadableError('no_text', describeMissingText(read, isEncrypted))
    return joinPages(read, scans)
  })
}

async function readPages(file: PdfFile): Promise<PdfPage[]> {
  const pages: PdfPage[] = []
  let length = 0
  for (let number = 1; number <= file.numPages; number++) {
    const page = await readPdfPage(file, number)
    length += page.text.length
    checkTextLength(length)
    pages.push(page)
  }
  return pages
}

/** Returns the text of a PDF that is uploaded; nothing if it cannot be read, because the API may be able to. */
async function readCitable(file: PdfFile): Promise<Pick<PdfContent, 'uploadedText'>> {
  return readPages(file).then(toUploadedText, () => ({}))
}

function toUploadedText(pages: readonly PdfPage[]): Pick<PdfContent, 'uploadedText'> {
  const uploadedText = joinPages(pages, new Set())
  return uploadedText.text === '' ? {} : { uploadedText }
}

/** Returns the text of a PDF, and a PDF of its scanned pages; undefined if the PDF cannot be taken apart. */
async function attachScans(
  file: PdfFile,
  pages: readonly PdfPage[],
  scans: ReadonlySet<number>,
): Promise<PdfContent | undefined> {
  const { extractPdfPages } = await import('./split-pdf.ts')
  const numbers = [...scans].sort((a, b) => a - b)
  const pdf = await extractPdfPages(await file.getData(), numbers).catch(() => undefined)
  const describe = (number: number) =>
    `[page ${number}: no text; it is page ${numbers.indexOf(number) + 1} of the attached PDF]`
  return pdf && { ...joinPages(pages, scans, describe), pages: numbers.length, scans: pdf }
}

/**
 * Returns the numbers of the pages whose content is not text. An empty page, or one with only a title, is not
 * a scan unless it has a picture. If the PDF has no text at all, all its pages are scans.
 * @param max how many are searched for
 */
async function findScans(
  file: PdfFile,
  pages: readonly PdfPage[],
  max: number,
): Promise<ReadonlySet<number>> {
  const numbers = pages.map((_, n) => n + 1)
  const hasAnyText = pages.some(({ text }) => text !== '')
  if (!hasAnyText) return new Set(numbers)
  const garbled = numbers.filter((number) => pages[number - 1]?.isGarbled)
  const hasLittleText = (number: number) => (pages[number - 1]?.solidChars ?? 0) < minCharsPerPage
  const unclear = numbers.filter((number) => hasLittleText(number) && !garbled.includes(number))
  if (unclear.length === 0 || garbled.length >= max) return new Set(garbled)
  return new Set([...garbled, ...(await findPagesWithPictures(file, unclear, max - garbled.length))])
}

function joinPages(
  pages: readonly PdfPage[],
  scans: ReadonlySet<number>,
  describe = (number: number) => `[page ${number}: no text, perhaps a scan]`,
): MarkedText {
  const parts = pages.map(({ text }, n) => ({
    text: scans.has(n + 1) ? `${describe(n + 1)}\n${text}`.trim() : text,
    kind: 'page' as const,
    label: String(n + 1),
  }))
  return editMarked(joinMarked(parts, '\n\n'), joinHyphens)
}

async function hasFillableFields(file: PdfFile): Promise<boolean> {
  for (let number = 1; number <= file.numPages; number++) {
    const page = await file.getPage(number)
    const annotations = await page.getAnnotations().catch(() => [])
    page.cleanup()
    if (annotations.some(isFillable)) return true
  }
  return false
}

const decryptionAdvice = 'decrypt it first, for example with qpdf --decrypt'

function describeMissingText(pages: readonly PdfPage[], isEncrypted: boolean): string {
  const solidChars = pages.reduce((sum, page) => sum + page.solidChars, 0)
  const on = pages.length === 1 ? 'its one page' : `its ${pages.length} pages`
  const found = solidChars === 0 ? `no text on ${on}` : `hardly any text on ${on} (${solidChars} characters)`
  const advice = 'is it a scan? make it searchable first, for example with ocrmypdf'
  return isEncrypted
    ? `${found}, and it is encrypted, so that it cannot be uploaded; ${decryptionAdvice}`
    : `${found}; ${advice}`
}
