import { resolveModelSettings } from '../config/model-settings.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import {
  type ChunkPlan,
  computeMaxDocumentChars,
  expectedNotesChars,
  findPdfLimits,
  packGroups,
} from '../core/chunking/chunk-plan.ts'
import { chunkText } from '../core/chunking/chunk-text.ts'
import type { Document, InputProblem, Pdf } from '../core/document/document.ts'
import { guessTokensPerCharacter } from '../core/estimate/estimate-cost.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { type Prompt, renderPrompt } from '../core/request/render-prompt.ts'
import {
  chooseParameters,
  countPromptCharacters,
  type Request,
  type RequestSettings,
} from '../core/request/request.ts'
import type { ProviderName } from '../core/request/request-hash.ts'
import { hashJson, sampleDocuments } from '../core/request/request-hash.ts'
import { detectTextKind, type TextKind, textKinds } from '../core/text/text-kind.ts'
import { loadPrompt } from '../inputs/prompts/load-prompt.ts'
import type { PromptLookupOptions } from '../inputs/prompts/prompt-lookup.ts'
import { UnreadableError } from '../inputs/read/readers/unreadable-error.ts'

/** How documents are asked about that one request does not hold. */
export interface ChunkPlanner {
  /** Undefined where one request holds the document, a problem where it cannot be cut. */
  planChunks(document: Document): Promise<ChunkPlan | InputProblem | undefined>
  /** A hash of everything but the document that shapes its chunks and what is asked about them. */
  readonly hash: string
}

/** Makes requests for whole documents. */
type BuildRequest = (document: Document) => Request

/** The names of what asks about parts, and about their answers. */
export interface ChunkPrompts {
  readonly chunk: string
  readonly reduce: string
}

/**
 * Finds and checks the prompts for chunks.
 * @returns how documents are cut that are asked about with the given settings
 * @throws UsageError where a prompt cannot be used
 */
export async function loadChunkPlanner(
  { chunkTokens, maxTokens }: Pick<SummarizeOptions, 'maxTokens' | 'chunkTokens'>,
  lookup: PromptLookupOptions,
  { chunk, reduce }: ChunkPrompts = { chunk: 'chunk', reduce: 'reduce' },
): Promise<(provider: ProviderName, settings: RequestSettings, requestFor: BuildRequest) => ChunkPlanner> {
  // They get no permits of their own, which would stay unused.
  const load = (name: string) => loadPrompt(name, { ...lookup, vars: [] })
  const [partPrompt, mergePrompt] = await Promise.all([load(chunk), load(reduce)])

  return (provider, settings, requestFor) => {
    const createRequestFunction = (prompt: Prompt) => {
      const modelSettings = resolveModelSettings(prompt, { ...settings, maxTokens, effort: settings.effort })
      const parameters = chooseParameters({ ...modelSettings, model: settings.model })
      return (document: Document): Request => {
        const { pdf, ref: source } = document
        const fields = {
          ...parameters,
          ...renderPrompt(prompt, document, {}),
          ...(pdf !== undefined && { pdf }),
        }
        return buildRequest(fields, source.path, provider)
      }
    }
    const [chunkRequest, mergeRequest] = [
      createRequestFunction(partPrompt),
      createRequestFunction(mergePrompt),
    ]
    /** Characters of text that fit into a request with what is around it. */
    const computeMaxChars = (request: BuildRequest, document: Document, kind: TextKind) => {
      const { pdf: _, ...asText } = document
      const emptyRequest = request({ ...asText, text: '' })
      return computeMaxDocumentChars(emptyRequest, kind, countPromptCharacters(emptyRequest), chunkTokens)
    }
    const computeLimits = (document: Document, kind: TextKind, maxDocumentChars: number) => ({
      chunk: computeMaxChars(chunkRequest, document, kind) ?? maxDocumentChars,
      merged: Math.min(computeMaxChars(mergeRequest, document, kind) ?? maxDocumentChars, maxDocumentChars),
    })
    const wholeIn = (document: Document, kind: TextKind) =>
      computeMaxChars(requestFor, document, kind) ?? Number.POSITIVE_INFINITY
    const hash = hashJson([
      textKinds.map((kind) =>
        sampleDocuments.map((sample) => {
          const whole = wholeIn(sample, kind)
          return [whole, computeLimits(sample, kind, whole), computePdfLimits(settings.model, whole)]
        }),
      ),
      sampleDocuments.map((sample) => [
        chunkRequest(sample).hash,
        mergeRequest(sample).hash,
        requestFor({ ...sample, text: formatNotes([sample.text, sample.text]) }).hash,
      ]),
    ])

    return {
      hash,
      async planChunks(document) {
        const { text, ref: source, pdf, ...rest } = document
        const asText: Document = { ...rest, ref: source, text }
        const kind = detectTextKind(source.path, text)
        const maxChars = wholeIn(document, kind)
        const pdfChunks = pdf && (await chunkPdf(pdf, computePdfLimits(settings.model, maxChars)))
        if (pdfChunks !== undefined && 'action' in pdfChunks) return pdfChunks
        if (pdfChunks === undefined && text.length <= maxChars) return undefined

        const limits = computeLimits(document, kind, maxChars)
        const buildReduceRequest = (notes: string) => requestFor({ ...asText, text: notes })
        const requests =
          pdfChunks === undefined
            ? chunkText(text, limits.chunk).map((text) => chunkRequest({ ...asText, text }))
            : pdfChunks.map((pdf) => chunkRequest({ ...asText, pdf }))
        return {
          requestHash: hashJson([...requests.map(({ hash: key }) => key), hash, buildReduceRequest('').hash]),
          requests,
          expectedFinalRequest: buildReduceRequest(
            formatNotes(requests.map(() => 'x'.repeat(expectedNotesChars))),
          ),
          reduce(answers) {
            const groups = packGroups(answers, limits.merged)
            return groups.length === 1
              ? [buildReduceRequest(formatNotes(answers))]
              : groups.map((group) =>
                  mergeRequest({ ...asText, text: group.map((it) => it.trim()).join('\n\n---\n\n') }),
                )
          },
        }
      },
    }
  }
}

/** More tokens than a page comes to; see {@link countPromptCharacters}. */
const tokensPerPage = 2500

/** How much of a PDF one request takes. @param maxChars characters of text that it takes */
function computePdfLimits(model: string, maxChars: number): ReturnType<typeof findPdfLimits> {
  const { pages, bytes } = findPdfLimits(model)
  const tokens = maxChars * guessTokensPerCharacter(model, 'prose').high
  return { pages: Math.max(1, Math.min(pages, Math.floor(tokens / tokensPerPage))), bytes }
}

/** A PDF that is sent as it is, cut by its pages; undefined where one request holds it. */
async function chunkPdf(
  pdf: Pdf,
  { pages, bytes }: ReturnType<typeof findPdfLimits>,
): Promise<readonly Pdf[] | InputProblem | undefined> {
  if (pdf.pages <= pages && pdf.base64.length * 0.75 <= bytes) return undefined
  const { splitPdf } = await import('../inputs/read/readers/split-pdf.ts')
  return splitPdf(pdf, { bytes, pages }).catch((error: unknown) => {
    if (!(error instanceof UnreadableError)) throw error
    return { action: 'fail', type: error.type, message: error.message }
  })
}

function formatNotes(answers: readonly string[]): string {
  const count = answers.length
  const notes = answers.map((text, n) => `[Part ${n + 1} of ${count}]\n\n${text.trim()}`)
  return `[These are notes on the ${count} parts of a document that is too long to be read at once, in its order.]\n\n${notes.join('\n\n')}`
}
