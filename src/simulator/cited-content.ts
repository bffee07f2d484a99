import type { CitableDocument } from './document-blocks.ts'

/** What is wrong with the citations of an answer. */
export type CitationFault = 'shifted' | 'absent' | 'no_index'

/**
 * Splits an answer into text blocks as the API does: each sentence that the document has is a block with a
 * citation, the rest are blocks without. Indexes count code points.
 */
export function createCitedContent(
  answer: string,
  document: CitableDocument,
  fault: CitationFault | undefined,
): readonly unknown[] {
  const content: unknown[] = []
  let plain = ''
  const flush = () => {
    if (plain !== '') content.push({ type: 'text', text: plain, citations: null })
    plain = ''
  }
  for (const { segment } of segmenter.segment(answer)) {
    const [, before = '', sentence = '', after = ''] =
      /^((?:\[simulated\]\s*|[-\s])*)([\s\S]*?)(\s*)$/.exec(segment) ?? []
    const passage = findPassage(sentence, document)
    if (passage === undefined) {
      plain += segment
      continue
    }
    plain += before
    flush()
    content.push({ type: 'text', text: sentence, citations: [createCitation(passage, document, fault)] })
    plain = after
  }
  flush()
  return content
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

/** A passage of a document. */
interface Passage {
  readonly quote: string
  /** The page or block that contains it, from 0; 0 for a document without parts. */
  readonly part: number
  /** Its index in that part: UTF-16 units. */
  readonly at: number
}

/** Finds a sentence in one part of the document. There, its words may have other white space, tags and marks of Markdown. */
function findPassage(sentence: string, { text, blocks, pages }: CitableDocument): Passage | undefined {
  const words = sentence.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return undefined
  const pattern = new RegExp(words.map(toPattern).join('(?:[\\s*_`]|<[^<>]{1,200}>)+'))
  for (const [part, content] of (pages ?? blocks ?? [text]).entries()) {
    const match = pattern.exec(content)
    if (match !== null) return { quote: match[0], part, at: match.index }
  }
  return undefined
}

function toPattern(word: string): string {
  const characters = word.match(/./gsu) ?? []
  return characters.map((character) => character.replace(/[\\^$.*+?()[\]{}|]/, '\\$&')).join('[*_`]*')
}

function createCitation(
  { quote, part, at }: Passage,
  { text, blocks, pages, title, index }: CitableDocument,
  fault: CitationFault | undefined,
) {
  const common = { document_index: index, document_title: title }
  const shift = fault === 'shifted' ? 7 : 0
  const suffix = fault === 'absent' ? ' And more.' : ''
  if (blocks !== undefined)
    return {
      type: 'content_block_location',
      cited_text: `${blocks[part]}${suffix}`,
      ...common,
      ...(fault !== 'no_index' && { start_block_index: part + shift, end_block_index: part + shift + 1 }),
    }
  if (pages !== undefined)
    return {
      type: 'page_location',
      cited_text: `${quote}${suffix}`,
      ...common,
      ...(fault !== 'no_index' && { start_page_number: part + 1 + shift, end_page_number: part + 2 + shift }),
    }
  const start = countCodePoints(text.slice(0, at)) + shift
  return {
    type: 'char_location',
    cited_text: `${quote}${suffix}`,
    ...common,
    ...(fault !== 'no_index' && { start_char_index: start, end_char_index: start + countCodePoints(quote) }),
  }
}

function countCodePoints(text: string): number {
  return [...text].length
}
