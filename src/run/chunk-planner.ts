import { resolveModelSettings } from '../config/model-settings.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { chunkImages } from '../core/chunking/chunk-images.ts'
import {
  type ChunkPlan,
  computeMaxDocumentChars,
  expectedNotesChars,
  findUploadLimits,
  maxTokensPerPage,
  packGroups,
  type UploadLimits,
} from '../core/chunking/chunk-plan.ts'
import { chunkText } from '../core/chunking/chunk-text.ts'
import type { Document, InputProblem } from '../core/document/document.ts'
import type { Upload } from '../core/document/upload.ts'
import { guessTokensPerCharacter } from '../core/estimate/estimate-cost.ts'
import { buildRequest } from '../core/request/build-request.ts'
import type { ProviderName } from '../core/request/providers.ts'
import { type Prompt, renderPrompt } from '../core/request/render-prompt.ts'
import {
  chooseParameters,
  countPromptCharacters,
  type Request,
  type RequestSettings,
} from '../core/request/request.ts'
import { hashJson, sampleDocuments } from '../core/request/request-hash.ts'
import { detectTextKind, type TextKind, textKinds } from '../core/text/text-kind.ts'
import { loadPrompt } from '../inputs/prompts/load-prompt.ts'
import type { PromptLookupOptions } from '../inputs/prompts/prompt-lookup.ts'
import { UnreadableError } from '../inputs/read/readers/unreadable-error.ts'

/** Plans the requests of documents that do not fit into one request. */
export interface ChunkPlanner {
  /** Returns undefined if the document fits into one request, or a problem if it cannot be split. */
  planChunks(document: Document): Promise<ChunkPlan | InputProblem | undefined>
  /** A hash of everything but the document that shapes its chunks and their requests. */
  readonly hash: string
}

/** Builds the request of a whole document. */
type BuildRequest = (document: Document) => Request

/** The names of the prompts for long documents. */
export interface ChunkPrompts {
  /** Summarizes one chunk. */
  readonly chunk: string
  /** Merges the summaries of chunks. */
  readonly reduce: string
}

/**
 * Finds and checks the prompts for chunks.
 * @returns a function that creates a planner for a provider and the settings of a prompt
 * @throws UsageError for an invalid prompt
 */
export async function loadChunkPlanner(
  { chunkTokens, maxTokens }: Pick<SummarizeOptions, 'maxTokens' | 'chunkTokens'>,
  lookup: PromptLookupOptions,
  { chunk, reduce }: ChunkPrompts = { chunk: 'chunk', reduce: 'reduce' },
): Promise<
  (provider: ProviderName, settings: RequestSettings, buildWholeRequest: BuildRequest) => ChunkPlanner
> {
  // The prompts get no variables of --var: a variable without a placeholder would be an error.
  const load = (name: string) => loadPrompt(name, { ...lookup, vars: [] })
  const [chunkPrompt, reducePrompt] = await Promise.all([load(chunk), load(reduce)])

  return (provider, settings, buildWholeRequest) => {
    const createRequestFunction = (prompt: Prompt) => {
      const modelSettings = resolveModelSettings(prompt, { ...settings, maxTokens, effort: settings.effort })
      const parameters = chooseParameters({ ...modelSettings, model: settings.model })
      return (document: Document): Request => {
        const { upload, ref: source } = document
        const fields = {
          ...parameters,
          ...renderPrompt(prompt, document, {}),
          ...(upload !== undefined && { upload }),
        }
        return buildRequest(fields, source.path, provider)
      }
    }
    const buildChunkRequest = createRequestFunction(chunkPrompt)
    const buildMergeRequest = createRequestFunction(reducePrompt)
    /**
     * Returns how many characters of text fit into a request next to the prompt; undefined if there is no
     * limit.
     */
    const computeMaxChars = (build: BuildRequest, document: Document, kind: TextKind) => {
      const { upload: _, ...asText } = document
      const emptyRequest = build({ ...asText, text: '' })
      return computeMaxDocumentChars(emptyRequest, kind, countPromptCharacters(emptyRequest), chunkTokens)
    }
    const computeLimits = (document: Document, kind: TextKind, maxDocumentChars: number) => ({
      chunk: computeMaxChars(buildChunkRequest, document, kind) ?? maxDocumentChars,
      merged: Math.min(
        computeMaxChars(buildMergeRequest, document, kind) ?? maxDocumentChars,
        maxDocumentChars,
      ),
    })
    const computeMaxWholeChars = (document: Document, kind: TextKind) =>
      computeMaxChars(buildWholeRequest, document, kind) ?? Number.POSITIVE_INFINITY
    /**
     * Whether a document fits into one request, even if the prompt around it were as long as prompt and document
     * together. So the request of a short document is built only once.
     */
    const fitsSurely = (document: Document) => {
      const { text, ref } = document
      if (text.length > maxShortChars) return false
      const request = buildWholeRequest(document)
      const kind = detectTextKind(ref.path, text)
      const maxChars = computeMaxDocumentChars(request, kind, countPromptCharacters(request), chunkTokens)
      return maxChars === undefined || text.length <= maxChars
    }
    const computeUploadLimits = (maxChars: number) =>
      findUploadLimits(
        settings.model,
        provider,
        maxChars * guessTokensPerCharacter(settings.model, 'prose').high,
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
        buildWholeRequest({ ...sample, text: formatNotes([sample.text, sample.text]) }).hash,
      ]),
    ])

    return {
      hash,
      async planChunks(document) {
        const { text, ref: source, upload, ...rest } = document
        if (upload === undefined && fitsSurely(document)) return undefined
        const asText: Document = { ...rest, ref: source, text }
        const kind = detectTextKind(source.path, text)
        const maxChars = computeMaxWholeChars(document, kind)
        const uploadChunks = upload && (await chunkUpload(upload, computeUploadLimits(maxChars)))
        if (uploadChunks !== undefined && 'action' in uploadChunks) return uploadChunks
        const scans = upload?.type === 'pdf' && upload.isPartial ? upload.pages : 0
        const scanChars = (scans * maxTokensPerPage) / guessTokensPerCharacter(settings.model, 'prose').high
        if (uploadChunks === undefined && text.length + scanChars <= maxChars) return undefined

        const limits = computeLimits(document, kind, maxChars)
        const buildReduceRequest = (notes: string) => buildWholeRequest({ ...asText, text: notes })
        const textChunks = upload !== undefined && scans === 0 ? [] : chunkText(text, limits.chunk)
        const uploadText = scans > 0 ? scansText : text
        const requests = [
          ...textChunks.map((text) => buildChunkRequest({ ...asText, text })),
          ...(uploadChunks ?? (upload ? [upload] : [])).map((upload) =>
            buildChunkRequest({ ...asText, text: uploadText, upload }),
          ),
        ]
        return {
          requestHash: hashJson([
            ...requests.map((request) => request.hash),
            hash,
            buildReduceRequest('').hash,
          ]),
          requests,
          expectedFinalRequest: buildReduceRequest(
            formatNotes(requests.map(() => 'x'.repeat(expectedNotesChars))),
          ),
          reduce(answers) {
            const groups = packGroups(answers, limits.merged)
            return groups.length === 1
              ? [buildReduceRequest(formatNotes(answers))]
              : groups.map((group) =>
                  buildMergeRequest({
                    ...asText,
                    text: group.map((notes) => notes.trim()).join('\n\n---\n\n'),
                  }),
                )
          },
        }
      },
    }
  }
}

/** Characters. Nearly all documents are shorter; for longer ones, building a request takes longer. */
const maxShortChars = 50_000

/** The text next to scanned pages when the text of the document is in other requests. */
const scansText = '[This part is the PDF that is attached: pages of the document that have no text.]'

/** Splits an upload between pages. Returns undefined if it fits into one request. */
async function chunkUpload(
  upload: Upload,
  limits: UploadLimits,
): Promise<readonly Upload[] | InputProblem | undefined> {
  if (upload.type === 'images') return chunkImages(upload, limits)
  if (upload.pages <= limits.pages && upload.base64.length * 0.75 <= limits.bytes) return undefined
  const { splitPdf } = await import('../inputs/read/readers/split-pdf.ts')
  return splitPdf(upload, limits).catch((error: unknown) => {
    if (!(error instanceof UnreadableError)) throw error
    return { action: 'fail', type: error.type, message: error.message }
  })
}

function formatNotes(answers: readonly string[]): string {
  const count = answers.length
  const notes = answers.map((text, n) => `[Part ${n + 1} of ${count}]\n\n${text.trim()}`)
  return `[These are notes on the ${count} parts of a document that is too long to be read at once, in its order.]\n\n${notes.join('\n\n')}`
}
