import { createThreadReader } from '../inputs/read/readers/read-in-thread.ts'

/** Returns a function for the simulator, which returns the texts of the pages of a PDF; none if it cannot be read. */
export function createPdfPageReader(): (pdf: Buffer) => Promise<readonly string[]> {
  const read = createThreadReader()
  return async (pdf) => {
    const content = await read({ format: 'pdf', bytes: pdf, pdf: 'native', citations: true })
    if ('action' in content || content.uploadedText === undefined) return []
    const { text, marks } = content.uploadedText
    const pages: string[] = []
    for (const [n, { offset, label }] of marks.entries())
      pages[Number(label) - 1] = text.slice(offset, marks[n + 1]?.offset).trimEnd()
    return Array.from(pages, (page) => page ?? '')
  }
}
