import type { MessageRequest } from './validate-request.ts'

/** Returns the texts of the pages of a PDF. */
export type ReadPdf = (pdf: Buffer) => Promise<readonly string[]>

/** Returns a request with the text of the PDF that its answer must cite, unless it cites another document. */
export async function readCitablePdf(
  request: MessageRequest,
  readPdf: ReadPdf | undefined,
): Promise<MessageRequest> {
  const { citable, citablePdf, ...others } = request
  if (citable !== undefined || citablePdf === undefined || readPdf === undefined) return request
  const { bytes, title, index } = citablePdf
  const pages = await readPdf(bytes)
  const text = pages.join('\n\n')
  return text.trim() === '' ? request : { ...others, citable: { text, pages, title, index } }
}
