import type { CitableDocument } from './document-blocks.ts'

/** What is wrong with the citations of an answer. */
export type CitationFault = 'shifted' | 'absent' | 'no_index'

/**
 * Splits an answer into text blocks as the API does: each sentence that the document has literally is a block with a
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
    const at = sentence === '' ? -1 : document.text.indexOf(sentence)
    if (at === -1) {
      plain += segment
      continue
    }
    plain += before
    flush()
    content.push({ type: 'text', text: sentence, citations: [createCitation(sentence, at, document, fault)] })
    plain = after
  }
  flush()
  return content
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

function createCitation(
  sentence: string,
  at: number,
  { text, blocks, title, index }: CitableDocument,
  fault: CitationFault | undefined,
) {
  const common = { document_index: index, document_title: title }
  const shift = fault === 'shifted' ? 7 : 0
  const suffix = fault === 'absent' ? ' And more.' : ''
  if (blocks !== undefined) {
    const block = blocks.findIndex((block) => block.includes(sentence))
    return {
      type: 'content_block_location',
      cited_text: `${blocks[block] ?? sentence}${suffix}`,
      ...common,
      ...(fault !== 'no_index' && { start_block_index: block + shift, end_block_index: block + shift + 1 }),
    }
  }
  const start = countCodePoints(text.slice(0, at)) + shift
  return {
    type: 'char_location',
    cited_text: `${sentence}${suffix}`,
    ...common,
    ...(fault !== 'no_index' && {
      start_char_index: start,
      end_char_index: start + countCodePoints(sentence),
    }),
  }
}

function countCodePoints(text: string): number {
  return [...text].length
}
