import type { Citation, ReportedCitation } from '../citations/citation.ts'
import type { Note } from '../citations/note-blocks.ts'
import { maxTokensPerImage } from '../document/upload.ts'
import { guessTokensPerCharacter } from '../estimate/estimate-cost.ts'
import { findModel } from '../pricing/models.ts'
import { type ProviderName, providerTraits } from '../request/providers.ts'
import type { Request, RequestSettings } from '../request/request.ts'
import type { TextKind } from '../text/text-kind.ts'

/** The requests for a document that is too long for one request. */
export interface ChunkPlan {
  /** Request hash of the summary of the whole document; it covers all requests of the plan. */
  readonly requestHash: string
  /** One request per chunk, in order; see {@link dedupeRequests}. */
  readonly requests: readonly Request[]
  /** An approximation of the last request, for cost estimates. */
  readonly expectedFinalRequest: Request
  /** Returns the passages of the document that support the reply about a chunk. @param index of its request */
  cite(index: number, citations: readonly ReportedCitation[]): readonly Citation[]
  /**
   * Returns the next requests, given the notes of the replies to the previous ones in order. These are one request per
   * group of notes, or a single one for the whole document.
   */
  reduce(notes: readonly Note[]): readonly ReduceRequest[]
}

/** A request about notes. */
export interface ReduceRequest {
  readonly request: Request
  /** Returns the passages of the document that support the reply. */
  cite(citations: readonly ReportedCitation[]): readonly Citation[]
}

/**
 * Returns how many characters of a document fit into the context window and the lowest price tier. This
 * assumes many tokens per character. Undefined if no limit is known.
 * @param promptChars characters of the prompt around the document
 * @param chunkTokens a limit that the user set: tokens
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

/** Characters. Shorter chunks would be useless. */
const minChunkChars = 1000

/** Expected length of the notes on a chunk: characters. */
export const expectedNotesChars = 1500

/** How much of an upload fits into one request. */
export interface UploadLimits {
  /** Pages of a PDF. */
  readonly pages: number
  readonly images: number
  /** Bytes of the files; base64 makes them a third larger. */
  readonly bytes: number
  /** Bytes of one image. */
  readonly imageBytes: number
}

/**
 * Returns how much of an upload fits into one request.
 * @param maxTokens of the upload
 * @see https://platform.claude.com/docs/en/build-with-claude/pdf-support
 */
export function findUploadLimits(model: string, provider: ProviderName, maxTokens: number): UploadLimits {
  const { contextTokens: context = 0 } = findModel(model) ?? {}
  const { maxUploadBytes: bytes, maxImageBytes: imageBytes } = providerTraits[provider]
  const limit = (count: number, tokens: number) =>
    Math.max(1, Math.min(count, Math.floor(maxTokens / tokens)))
  return {
    pages: limit(context < 1_000_000 ? 100 : 600, maxTokensPerPage),
    images: limit(maxImages, maxTokensPerImage),
    bytes,
    imageBytes,
  }
}

/** An upper bound of the tokens of a PDF page; see {@link countPromptCharacters}. */
export const maxTokensPerPage = 2500

/**
 * The API accepts more images, but above 20 none with a side of more than 2,000 pixels, such as a fax.
 * @see https://platform.claude.com/docs/en/build-with-claude/vision
 */
const maxImages = 20

/** Returns the requests in order, without duplicates: a document may contain the same chunk twice. */
export function dedupeRequests(requests: readonly Request[]): readonly Request[] {
  return [...new Map(requests.map((request) => [request.hash, request])).values()]
}

/** Packs notes, in order, into few groups of at most `maxChars`. Two notes always fit into a group. */
export function packGroups(notes: readonly Note[], maxChars: number): Note[][] {
  const groups: Note[][] = []
  let remainingChars = 0
  for (const note of notes) {
    const group = groups.at(-1)
    const { length } = note.text
    if (group !== undefined && (group.length < 2 || length <= remainingChars)) {
      group.push(note)
      remainingChars -= length
    } else {
      groups.push([note])
      remainingChars = maxChars - length
    }
  }
  return groups
}
