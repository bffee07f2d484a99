import { guessTokensPerCharacter } from '../estimate/estimate-cost.ts'
import { findModel } from '../pricing/models.ts'
import type { Request, RequestSettings } from '../request/request.ts'
import type { TextKind } from '../text/text-kind.ts'

/** How a document is asked about that is too long for one request. */
export interface ChunkPlan {
  /** Of the answer to the whole: that of everything that will be asked. */
  readonly requestHash: string
  /** One for each chunk, in order; see {@link dedupeRequests}. */
  readonly requests: readonly Request[]
  /** About what the last one will be like, for whoever reckons what all of them cost. */
  readonly expectedFinalRequest: Request
  /**
   * What to ask next, of the answers to all that was asked last, in order: again one for each group that fits, or a
   * single one, which is for the whole document.
   */
  reduce(answers: readonly string[]): readonly Request[]
}

/**
 * The most characters of a document that one request takes: as many as the model surely reads at its lowest price,
 * and its window holds. Undefined where nobody knows of a bound.
 * @param promptChars characters of the prompt around it
 * @param chunkTokens a bound of the user's own: tokens
 */
export function computeMaxDocumentChars(
  { model, maxTokens }: RequestSettings,
  kind: TextKind,
  promptChars: number,
  chunkTokens?: number,
): number | undefined {
  const known = findModel(model)
  if (known === undefined && chunkTokens === undefined) return undefined
  const maxInputTokens = (known?.contextTokens ?? Number.POSITIVE_INFINITY) - maxTokens
  const lowestTierTokens = known?.priceTiers[0]?.maxPromptTokens ?? Number.POSITIVE_INFINITY
  const tokens = Math.min(maxInputTokens, chunkTokens ?? lowestTierTokens)
  return Math.max(minChunkChars, Math.floor(tokens / guessTokensPerCharacter(model, kind).high) - promptChars)
}

/** Characters. Less is no part of anything. */
const minChunkChars = 1000

/** Characters that notes on a part will come to, to be reckoned with. */
export const expectedNotesChars = 1500

/**
 * What one request takes of a PDF. Bytes are those of the file, of which base64 makes a third more.
 * @see https://platform.claude.com/docs/en/build-with-claude/pdf-support
 */
export function findPdfLimits(model: string): { readonly pages: number; readonly bytes: number } {
  const { contextTokens: context = 0 } = findModel(model) ?? {}
  return { pages: context < 1_000_000 ? 100 : 600, bytes: 22_000_000 }
}

/** Requests in order, each once: a document may repeat a chunk, and the same request has the same answer. */
export function dedupeRequests(requests: readonly Request[]): readonly Request[] {
  return [...new Map(requests.map((request) => [request.hash, request])).values()]
}

/** Texts in their order, in as few groups as hold them, each of at most so many characters, though of two at least. */
export function packGroups(texts: readonly string[], maxChars: number): string[][] {
  const groups: string[][] = []
  let remainingChars = 0
  for (const text of texts) {
    const group = groups.at(-1)
    if (group !== undefined && (group.length < 2 || text.length <= remainingChars)) {
      group.push(text)
      remainingChars -= text.length
    } else {
      groups.push([text])
      remainingChars = maxChars - text.length
    }
  }
  return groups
}
