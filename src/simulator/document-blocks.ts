/** A document of a request whose answer must cite it. */
export interface CitableDocument {
  readonly text: string
  /** The parts that a citation names, if the document is a list of blocks. */
  readonly blocks?: readonly string[]
  /** The texts of its pages, if the document is a PDF. */
  readonly pages?: readonly string[]
  readonly title: string | null
  /** Its position among the documents of the request, from 0. */
  readonly index: number
}

/** A PDF of a request whose answer must cite it. */
export interface CitablePdf extends Pick<CitableDocument, 'title' | 'index'> {
  readonly bytes: Buffer
}

export interface RequestDocuments {
  /** Pages of PDFs. */
  readonly pages: number
  /** The texts of documents that are not PDFs. */
  readonly texts: readonly string[]
  /** The first document with a text, if citations are enabled. */
  readonly citable?: CitableDocument
  /** The first PDF, if citations are enabled. */
  readonly citablePdf?: CitablePdf
}

/**
 * Checks the document blocks of a request as the API does. Returns the API's message for what it would refuse.
 * @param blocks with their place in the request: `messages.0.content.1`
 * @see https://platform.claude.com/docs/en/build-with-claude/citations
 */
export function readDocumentBlocks(
  blocks: readonly { readonly path: string; readonly block: Fields }[],
  hasSchema: boolean,
): RequestDocuments | string {
  let pages = 0
  const texts: string[] = []
  const cited = new Set<boolean>()
  let citable: CitableDocument | undefined
  let citablePdf: CitablePdf | undefined
  for (const [index, { path, block }] of blocks.entries()) {
    const { source, title = null, citations } = block
    const isCited = toFields(citations)['enabled'] === true
    cited.add(isCited)
    if (title !== null && typeof title !== 'string')
      return `${path}.document.title: Input should be a valid string`
    const content = readSource(path, toFields(source))
    if (typeof content === 'string') return content
    pages += content.pages
    const { text, blocks: parts, pdf } = content
    if (isCited && pdf !== undefined) citablePdf ??= { bytes: pdf, title, index }
    if (text === undefined) continue
    texts.push(text)
    if (isCited) citable ??= { text, title, index, ...(parts !== undefined && { blocks: parts }) }
  }
  if (cited.size > 1) return 'messages: citations must be enabled on all documents or on none'
  if (cited.has(true) && hasSchema)
    return 'output_config.format: citations cannot be combined with structured outputs'
  if (pages > 600) return `messages: A maximum of 600 PDF pages may be provided, found ${pages}`
  return { pages, texts, ...(citable && { citable }), ...(citablePdf && { citablePdf }) }
}

type Fields = Readonly<Record<string, unknown>>

interface SourceContent {
  readonly pages: number
  readonly text?: string
  readonly blocks?: readonly string[]
  readonly pdf?: Buffer
}

function readSource(
  path: string,
  { type, media_type: mediaType, data, content }: Fields,
): SourceContent | string {
  if (type === 'text') {
    if (mediaType !== 'text/plain')
      return `${path}.document.source.text.media_type: Input should be 'text/plain'`
    if (typeof data !== 'string' || data.trim() === '')
      return `${path}.document.source.text.data: text must contain non-whitespace text`
    return { pages: 0, text: data }
  }
  if (type === 'content') {
    const blocks = Array.isArray(content) ? content.map(toFields) : []
    if (blocks.length === 0 || !blocks.every(isTextBlock))
      return `${path}.document.source.content: Input should be a list of text blocks with text`
    const texts = blocks.map(({ text }) => String(text))
    return { pages: 0, text: texts.join('\n'), blocks: texts }
  }
  if (type !== 'base64' || mediaType !== 'application/pdf')
    return `${path}.source: Input should be a base64 source of application/pdf`
  const pdf = Buffer.from(String(data), 'base64')
  const raw = pdf.toString('latin1')
  if (!raw.startsWith('%PDF-')) return `${path}.source: The PDF specified was not valid.`
  return { pages: Math.max(1, raw.match(/\/Type\s*\/Page\b/g)?.length ?? 0), pdf }
}

function isTextBlock({ type, text }: Fields): boolean {
  return type === 'text' && typeof text === 'string' && text.trim() !== ''
}

function toFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
