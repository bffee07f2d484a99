import type { Citation, ReportedCitation } from './citation.ts'
import { findOnlyPlace } from './whole-words.ts'

/** Notes on a part of a document: the reply about a chunk, or about other notes. */
export interface Note {
  readonly text: string
  /** The passages of the document that support them. */
  readonly citations: readonly Citation[]
}

/** A piece of notes that a reply can cite, and the passages of the document that support it. */
export interface NoteBlock {
  readonly text: string
  readonly citations: readonly Citation[]
}

/**
 * Cuts notes into blocks, so that each has only the passages that belong to it. A heading of each note has none.
 * @param introduction the first block
 */
export function toNoteBlocks(introduction: string, notes: readonly Note[]): readonly NoteBlock[] {
  const blocks: NoteBlock[] = [{ text: introduction, citations: [] }]
  for (const [n, note] of notes.entries()) {
    blocks.push({ text: `[Part ${n + 1} of ${notes.length}]`, citations: [] }, ...cutNote(note))
  }
  return blocks
}

function cutNote({ text, citations }: Note): readonly NoteBlock[] {
  const cuts = new Set([0, text.length])
  for (const { supports } of citations) for (const cut of [supports.start, supports.end]) cuts.add(cut)
  const sorted = [...cuts].filter((cut) => cut >= 0 && cut <= text.length).sort((a, b) => a - b)
  return sorted.slice(1).flatMap((end, n) => {
    const start = sorted[n] ?? 0
    const piece = text.slice(start, end).trim()
    if (piece === '') return []
    const own = citations.filter(({ supports }) => supports.start < end && supports.end > start)
    return [{ text: piece, citations: own }]
  })
}

/**
 * Returns the passages of the document that support a reply about notes: those of the blocks that it cites. A citation
 * counts only if its quote is once in the blocks that it names, or else once in all of them.
 */
export function resolveNoteCitations(
  reported: readonly ReportedCitation[],
  blocks: readonly NoteBlock[],
): readonly Citation[] {
  return reported.flatMap(({ supports, quote, place }) => {
    const cited = findBlocks(normalize(quote), place, blocks)
    const passages = cited.flatMap(({ citations }) => citations).filter(({ found }) => found !== undefined)
    return passages.length === 0
      ? [{ supports, quote }]
      : passages.map((passage) => ({ ...passage, supports }))
  })
}

/** Returns the blocks that a quote is from: of those that the citation names, or else of all. */
function findBlocks(
  quote: string,
  place: ReportedCitation['place'],
  blocks: readonly NoteBlock[],
): readonly NoteBlock[] {
  // Punctuation alone supports no statement.
  if (!/[\p{L}\p{N}]/u.test(quote)) return []
  const named = place?.unit === 'blocks' ? findBlocksWith(quote, blocks.slice(place.start, place.end)) : []
  return named.length > 0 ? named : findBlocksWith(quote, blocks)
}

/** Returns the blocks that have parts of a quote, in a row; none if the quote is there several times. */
function findBlocksWith(quote: string, blocks: readonly NoteBlock[]): readonly NoteBlock[] {
  let text = ''
  const ranges = blocks.map((block) => {
    const start = text.length
    text += `${normalize(block.text)} `
    return { block, start, end: text.length - 1 }
  })
  const found = findOnlyPlace(text, quote)
  if (found === undefined) return []
  return ranges.filter(({ start, end }) => start < found.end && end > found.start).map(({ block }) => block)
}

/** The API may join blocks with other white space. */
function normalize(text: string): string {
  return text.replace(/\s+/gu, ' ').trim()
}
