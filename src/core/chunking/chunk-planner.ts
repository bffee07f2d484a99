import type { Citation, ReportedCitation } from '../citations/citation.ts'
import { type Note, resolveNoteCitations, toNoteBlocks } from '../citations/note-blocks.ts'
import { toCitedText, verifyCitations } from '../citations/verify-citations.ts'
import type { Document, InputProblem } from '../document/document.ts'
import { locate } from '../document/locate.ts'
import type { Pdf, Upload } from '../document/upload.ts'
import { guessTokensPerCharacter } from '../estimate/estimate-cost.ts'
import { buildDocumentContent, buildRequest, type RequestContent } from '../request/build-request.ts'
import type { ProviderName } from '../request/providers.ts'
import type { Prompt } from '../request/render-prompt.ts'
import {
  chooseParameters,
  countPromptCharacters,
  type Request,
  type RequestSettings,
} from '../request/request.ts'
import { hashJson, sampleDocuments } from '../request/request-hash.ts'
import { detectTextKind, type TextKind, textKinds } from '../text/text-kind.ts'
import { chunkImages } from './chunk-images.ts'
import {
  type ChunkPlan,
  computeMaxDocumentChars,
  expectedNotesChars,
  findUploadLimits,
  maxTokensPerPage,
  packGroups,
  type ReduceRequest,
  type UploadLimits,
} from './chunk-plan.ts'
import { chunkText } from './chunk-text.ts'

/** Plans the requests of documents that do not fit into one request. */
export interface ChunkPlanner {
  /** Returns undefined if the document fits into one request, or a problem if it cannot be split. */
  planChunks(document: Document): Promise<ChunkPlan | InputProblem | undefined>
  /** A hash of everything but the document that shapes its chunks and their requests. */
  readonly hash: string
}

/** Builds the request of a document. */
type BuildRequest = (document: Document) => Request

/** Builds the content of a document's request: what is sent. */
type BuildContent = (document: Document) => RequestContent

/** A prompt for long documents, with its model and limits. */
interface ChunkPrompt {
  readonly prompt: Prompt
  readonly settings: RequestSettings
}

export interface ChunkPlannerOptions {
  readonly provider: ProviderName
  /** The prompt that summarizes one chunk. */
  readonly chunk: ChunkPrompt
  /** The prompt that merges the summaries of chunks. */
  readonly reduce: ChunkPrompt
  /** Builds the content of the request for a whole document, or for the notes on its chunks. */
  readonly buildWholeContent: BuildContent
  /** Whether replies must cite the document. */
  readonly citations: boolean
  /** Splits a document that is longer than this, even if it would fit into one request: tokens. */
  readonly chunkTokens?: number | undefined
  /** Splits a PDF between pages, or returns why it cannot be split. */
  readonly splitPdf: (pdf: Pdf, limits: UploadLimits) => Promise<readonly Upload[] | InputProblem>
}

/** Creates the planner for the documents of one prompt. */
export function createChunkPlanner({
  provider,
  chunk,
  reduce,
  buildWholeContent,
  citations,
  chunkTokens,
  splitPdf,
}: ChunkPlannerOptions): ChunkPlanner {
  const bindPrompt = ({ prompt, settings }: ChunkPrompt): BuildContent => {
    const parameters = chooseParameters(settings)
    const citedPrompt = citations ? { ...prompt, citations } : prompt
    return (document) => buildDocumentContent(citedPrompt, document, parameters)
  }
  const toRequestFunction =
    (buildContent: BuildContent): BuildRequest =>
    (document) =>
      buildRequest(buildContent(document), document.ref.path, provider)
  const buildChunkContent = bindPrompt(chunk)
  const buildMergeContent = bindPrompt(reduce)
  const buildWholeRequest = toRequestFunction(buildWholeContent)
  const buildChunkRequest = toRequestFunction(buildChunkContent)
  const buildMergeRequest = toRequestFunction(buildMergeContent)
  const { model } = chunk.settings
  /**
   * Returns how many characters of text fit into a request next to the prompt; undefined if there is no
   * limit.
   */
  const computeMaxChars = (build: BuildContent, document: Document, kind: TextKind) => {
    const { upload: _, ...asText } = document
    const emptyRequest = build({ ...asText, text: '' })
    return computeMaxDocumentChars(emptyRequest, kind, countPromptCharacters(emptyRequest), chunkTokens)
  }
  const computeLimits = (document: Document, kind: TextKind, maxDocumentChars: number) => ({
    chunk: computeMaxChars(buildChunkContent, document, kind) ?? maxDocumentChars,
    merged: Math.min(
      computeMaxChars(buildMergeContent, document, kind) ?? maxDocumentChars,
      maxDocumentChars,
    ),
  })
  const computeMaxWholeChars = (document: Document, kind: TextKind) =>
    computeMaxChars(buildWholeContent, document, kind) ?? Number.POSITIVE_INFINITY
  const computeUploadLimits = (maxChars: number) =>
    findUploadLimits(model, provider, maxChars * guessTokensPerCharacter(model, 'prose').high)
  /** The text that fits into a request next to any name of its document: characters. */
  const alwaysFittingChars = new Map(
    textKinds.map((kind) => [kind, computeMaxWholeChars(documentWithLongestName, kind)]),
  )
  const hash = hashJson([
    textKinds.map((kind) =>
      sampleDocuments.map((sample) => {
        const maxChars = computeMaxWholeChars(sample, kind)
        return [maxChars, computeLimits(sample, kind, maxChars), computeUploadLimits(maxChars)]
      }),
    ),
    sampleDocuments.map((sample) => [
      buildChunkRequest(sample).hash,
      buildMergeRequest(sample).hash,
      buildWholeRequest({ ...sample, text: formatNotes([toNote(sample), toNote(sample)]) }).hash,
    ]),
  ])

  return {
    hash,
    async planChunks(document) {
      const { text, ref: source, upload } = document
      const kind = detectTextKind(source.path, text)
      if (upload === undefined && text.length <= (alwaysFittingChars.get(kind) ?? 0)) return undefined
      const maxChars = computeMaxWholeChars(document, kind)
      const uploadChunks = upload && (await chunkUpload(upload, computeUploadLimits(maxChars), splitPdf))
      if (uploadChunks !== undefined && 'action' in uploadChunks) return uploadChunks
      const scans = upload?.type === 'pdf' && upload.isPartial ? upload.pages : 0
      const scanChars = (scans * maxTokensPerPage) / guessTokensPerCharacter(model, 'prose').high
      if (uploadChunks === undefined && text.length + scanChars <= maxChars) return undefined

      const limits = computeLimits(document, kind, maxChars)
      const textChunks = upload !== undefined && scans === 0 ? [] : chunkText(text, limits.chunk)
      const uploadText = scans > 0 ? scansText : text
      const { upload: _, ...asText } = document
      const requests = [
        ...textChunks.map((text) => buildChunkRequest({ ...asText, text })),
        ...(uploadChunks ?? (upload ? [upload] : [])).map((upload) =>
          buildChunkRequest({ ...asText, text: uploadText, upload }),
        ),
      ]
      const askAbout = (build: BuildRequest, notes: readonly Note[], format: FormatNotes): ReduceRequest => {
        const notesText = format(notes)
        if (!citations) return { request: build({ ...asText, text: notesText }), cite: () => [] }
        const blocks = toNoteBlocks(notesIntroduction(notes.length), notes)
        const request = build({ ...asText, text: notesText, blocks: blocks.map(({ text }) => text) })
        return { request, cite: (reported) => resolveNoteCitations(reported, blocks) }
      }
      const emptyNote = { text: 'x'.repeat(expectedNotesChars), citations: [] }
      return {
        requestHash: hashJson([
          ...requests.map((request) => request.hash),
          hash,
          buildWholeRequest({ ...asText, text: '' }).hash,
        ]),
        requests,
        expectedFinalRequest: askAbout(
          buildWholeRequest,
          requests.map(() => emptyNote),
          formatNotes,
        ).request,
        cite: (index, reported) =>
          index < textChunks.length || upload?.type !== 'pdf' || upload.isPartial
            ? citeChunk(reported, document, textChunks, index)
            : citePages(reported, document, uploadChunks ?? [], index),
        reduce(notes) {
          const groups = packGroups(notes, limits.merged)
          return groups.length === 1
            ? [askAbout(buildWholeRequest, notes, formatNotes)]
            : groups.map((group) => askAbout(buildMergeRequest, group, joinNotes))
        },
      }
    },
  }
}

const toNote = ({ text }: Pick<Document, 'text'>): Note => ({ text, citations: [] })

type FormatNotes = (notes: readonly Note[]) => string

/** Prompts contain at most 200 characters of a name. */
const documentWithLongestName: Document = {
  ref: { index: 0, path: 'x'.repeat(1000), namedByUser: true },
  text: '',
  fingerprint: { size: 0, sha256: '' },
}

/** The text next to scanned pages when the text of the document is in other requests. */
const scansText = '[This part is the PDF that is attached: pages of the document that have no text.]'

/** Splits an upload between pages. Returns undefined if it fits into one request. */
async function chunkUpload(
  upload: Upload,
  limits: UploadLimits,
  splitPdf: ChunkPlannerOptions['splitPdf'],
): Promise<readonly Upload[] | InputProblem | undefined> {
  if (upload.type === 'images') return chunkImages(upload, limits)
  if (upload.pages <= limits.pages && upload.base64.length * 0.75 <= limits.bytes) return undefined
  return splitPdf(upload, limits)
}

/** Verifies the citations of the reply about a chunk, and returns them with their places in the document. */
function citeChunk(
  reported: readonly ReportedCitation[],
  document: Document,
  chunks: readonly string[],
  index: number,
): readonly Citation[] {
  const sent = toCitedText(document)
  // Joined in order, the chunks are the text. Scanned pages have no text.
  const start = chunks.slice(0, index).reduce((sum, { length }) => sum + length, 0)
  const end = start + (chunks[index]?.length ?? 0)
  return verifyCitations(reported, { text: sent.text.slice(start, end) }).map(
    ({ found, place: _, ...citation }) => {
      if (found === undefined) return citation
      const place = locate(sent, start + found.start)
      const range = { start: start + found.start, end: start + found.end }
      return { ...citation, found: range, ...(place !== undefined && { place }) }
    },
  )
}

/** Verifies the citations of the reply about a part of an uploaded PDF, whose pages are counted from 1. */
function citePages(
  reported: readonly ReportedCitation[],
  document: Document,
  chunks: readonly Upload[],
  index: number,
): readonly Citation[] {
  const pagesBefore = chunks
    .slice(0, index)
    .reduce((sum, chunk) => sum + (chunk.type === 'pdf' ? chunk.pages : 0), 0)
  const inDocument = reported.map(({ place, ...citation }) =>
    place?.unit === 'pages'
      ? { ...citation, place: { ...place, start: place.start + pagesBefore, end: place.end + pagesBefore } }
      : citation,
  )
  return verifyCitations(inDocument, toCitedText(document))
}

function notesIntroduction(count: number): string {
  return `[These are notes on the ${count} parts of a document that is too long to be read at once, in its order.]`
}

function formatNotes(notes: readonly Note[]): string {
  const parts = notes.map(({ text }, n) => `[Part ${n + 1} of ${notes.length}]\n\n${text.trim()}`)
  return `${notesIntroduction(notes.length)}\n\n${parts.join('\n\n')}`
}

function joinNotes(notes: readonly Note[]): string {
  return notes.map(({ text }) => text.trim()).join('\n\n---\n\n')
}
