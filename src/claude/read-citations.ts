import type { ReportedCitation, ReportedPlace, TextRange } from '../core/citations/citation.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { toFields } from './wire-values.ts'

/** The names of the indexes in each type of place, and what they count. */
const placeFields = {
  char_location: { unit: 'characters', start: 'start_char_index', end: 'end_char_index' },
  page_location: { unit: 'pages', start: 'start_page_number', end: 'end_page_number' },
  content_block_location: { unit: 'blocks', start: 'start_block_index', end: 'end_block_index' },
} as const

/**
 * Reads the citations of a text block. One without a quote is left out; one with an unreadable place keeps its quote.
 * @param supports the part of the answer that the block is
 * @see https://platform.claude.com/docs/en/build-with-claude/citations
 */
export function readCitations(citations: unknown, supports: TextRange): readonly ReportedCitation[] {
  if (!Array.isArray(citations)) return []
  return citations.flatMap((citation: unknown) => {
    const fields = toFields(citation)
    const quote = fields['cited_text']
    if (typeof quote !== 'string' || quote === '') return []
    const place = readPlace(fields)
    return [{ supports, quote: replaceLoneSurrogates(quote), ...(place !== undefined && { place }) }]
  })
}

function readPlace(fields: Readonly<Record<string, unknown>>): ReportedPlace | undefined {
  const type = String(fields['type'])
  if (!Object.hasOwn(placeFields, type)) return undefined
  const { unit, ...names } = placeFields[type as keyof typeof placeFields]
  const [start, end] = [fields[names.start], fields[names.end]]
  return isIndex(start) && isIndex(end) && start < end ? { unit, start, end } : undefined
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
