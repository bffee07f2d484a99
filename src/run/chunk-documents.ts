import type { SummarizeOptions } from '../config/flags.ts'
import { settingsOf } from '../config/model-settings.ts'
import { grouped, largestPdf, likelyNotes, longestDocument, type Parts } from '../core/chunking/chunk-plan.ts'
import { cutText } from '../core/chunking/chunk-text.ts'
import type { Document, InputProblem, Pdf } from '../core/document/document.ts'
import { tokensPerCharacter } from '../core/estimate/estimate.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { type Prompt, renderPrompt } from '../core/request/prompt.ts'
import { lengthOf, parametersFor, type Request, type Settings } from '../core/request/request.ts'
import { digest, sampleDocuments } from '../core/request/request-hash.ts'
import { type TextKind, textKind, textKinds } from '../core/text/text-kind.ts'
import { loadPrompt } from '../inputs/prompts/load-prompt.ts'
import type { PlaceOptions } from '../inputs/prompts/prompt-lookup.ts'
import { Unreadable } from '../inputs/read/readers/unreadable.ts'

/** How documents are asked about that one request does not hold. */
export interface Chunking {
  /** Undefined where one request holds the document, a problem where it cannot be cut. */
  partsOf(document: Document): Promise<Parts | InputProblem | undefined>
  /** A hash of everything but the document that shapes its chunks and what is asked about them. */
  readonly hash: string
}

/** Makes requests for whole documents. */
type RequestFor = (document: Document) => Request

/** The names of what asks about parts, and about their answers. */
export interface PartPrompts {
  readonly part: string
  readonly merge: string
}

/**
 * Finds and checks the prompts for chunks.
 * @returns how documents are cut that are asked about with the given settings, at the given endpoint
 * @throws UsageError where a prompt cannot be used
 */
export async function loadChunking(
  { chunkTokens, maxTokens }: Pick<SummarizeOptions, 'maxTokens' | 'chunkTokens'>,
  places: PlaceOptions,
  { part, merge }: PartPrompts = { part: 'part', merge: 'merge' },
): Promise<(endpoint: string, settings: Settings, requestFor: RequestFor) => Chunking> {
  // They get no slots of their own, which would stay empty.
  const load = (name: string) => loadPrompt(name, { ...places, vars: [] })
  const [partPrompt, mergePrompt] = await Promise.all([load(part), load(merge)])

  return (endpoint, settings, requestFor) => {
    const requestBy = (prompt: Prompt) => {
      const own = settingsOf(prompt, { ...settings, maxTokens, effort: settings.effort })
      const parameters = parametersFor({ ...own, model: settings.model })
      return (document: Document): Request => {
        const { pdf, source } = document
        const asked = {
          ...parameters,
          ...renderPrompt(prompt, document, {}),
          ...(pdf !== undefined && { pdf }),
        }
        return buildRequest(asked, source.path, endpoint)
      }
    }
    const [chunkRequest, mergeRequest] = [requestBy(partPrompt), requestBy(mergePrompt)]
    /** Characters of text that fit into a request with what is around it. */
    const roomIn = (request: RequestFor, document: Document, kind: TextKind) => {
      const { pdf: _, ...asText } = document
      const empty = request({ ...asText, text: '' })
      return longestDocument(empty, kind, lengthOf(empty), chunkTokens)
    }
    const limitsFor = (document: Document, kind: TextKind, whole: number) => ({
      chunk: roomIn(chunkRequest, document, kind) ?? whole,
      merged: Math.min(roomIn(mergeRequest, document, kind) ?? whole, whole),
    })
    const wholeIn = (document: Document, kind: TextKind) =>
      roomIn(requestFor, document, kind) ?? Number.POSITIVE_INFINITY
    const hash = digest([
      textKinds.map((kind) =>
        sampleDocuments.map((sample) => {
          const whole = wholeIn(sample, kind)
          return [whole, limitsFor(sample, kind, whole), pdfLimits(settings.model, whole)]
        }),
      ),
      sampleDocuments.map((sample) => [
        chunkRequest(sample).key,
        mergeRequest(sample).key,
        requestFor({ ...sample, text: inOrder([sample.text, sample.text]) }).key,
      ]),
    ])

    return {
      hash,
      async partsOf(document) {
        const { text, source, pdf, ...rest } = document
        const asText: Document = { ...rest, source, text }
        const kind = textKind(source.path, text)
        const longest = wholeIn(document, kind)
        const pdfs = pdf && (await cutPdf(pdf, pdfLimits(settings.model, longest)))
        if (pdfs !== undefined && 'as' in pdfs) return pdfs
        if (pdfs === undefined && text.length <= longest) return undefined

        const limits = limitsFor(document, kind, longest)
        const whole = (notes: string) => requestFor({ ...asText, text: notes })
        const requests =
          pdfs === undefined
            ? cutText(text, limits.chunk).map((text) => chunkRequest({ ...asText, text }))
            : pdfs.map((pdf) => chunkRequest({ ...asText, pdf }))
        return {
          key: digest([...requests.map(({ key }) => key), hash, whole('').key]),
          requests,
          last: whole(inOrder(requests.map(() => 'x'.repeat(likelyNotes)))),
          merge(answers) {
            const groups = grouped(answers, limits.merged)
            return groups.length === 1
              ? [whole(inOrder(answers))]
              : groups.map((group) =>
                  mergeRequest({ ...asText, text: group.map((it) => it.trim()).join('\n\n---\n\n') }),
                )
          },
        }
      },
    }
  }
}

/** More tokens than a page comes to; see {@link lengthOf}. */
const tokensPerPage = 2500

/** How much of a PDF one request takes. @param longest characters of text that it takes */
function pdfLimits(model: string, longest: number): ReturnType<typeof largestPdf> {
  const { pages, bytes } = largestPdf(model)
  const tokens = longest * tokensPerCharacter(model, 'prose').high
  return { pages: Math.max(1, Math.min(pages, Math.floor(tokens / tokensPerPage))), bytes }
}

/** A PDF that is sent as it is, cut by its pages; undefined where one request holds it. */
async function cutPdf(
  pdf: Pdf,
  { pages, bytes }: ReturnType<typeof largestPdf>,
): Promise<readonly Pdf[] | InputProblem | undefined> {
  if (pdf.pages <= pages && pdf.base64.length * 0.75 <= bytes) return undefined
  const { splitPdf } = await import('../inputs/read/readers/split-pdf.ts')
  return splitPdf(pdf, { bytes, pages }).catch((error: unknown) => {
    if (!(error instanceof Unreadable)) throw error
    return { as: 'fail', type: error.type, message: error.message }
  })
}

function inOrder(answers: readonly string[]): string {
  const count = answers.length
  const notes = answers.map((text, n) => `[Part ${n + 1} of ${count}]\n\n${text.trim()}`)
  return `[These are notes on the ${count} parts of a document that is too long to be read at once, in its order.]\n\n${notes.join('\n\n')}`
}
