import { boolean, count, describe, objectOf, oneOf, optional, string, type TypeOf } from '../text/shape.ts'
import type { Citation, ReportedCitation } from './citation.ts'

/** A citation for other programs and for the ledger. Indexes count UTF-16 units; ends are exclusive. */
export const citationShape = objectOf({
  start: describe(count, 'this and end: the part of the summary that the passage supports'),
  end: count,
  quote: describe(string, 'the passage, as the API quotes it'),
  verified: describe(boolean, 'whether the passage was found in the document; otherwise it supports nothing'),
  document_start: optional(
    describe(count, 'this and document_end: the passage in the text of the document; absent if not found'),
  ),
  document_end: optional(count),
  place: optional(describe(string, 'the passage in the document, in words: page 3')),
})

/** Returns the fields of a citation. */
export function toCitationFields({ supports, quote, found, place }: Citation): TypeOf<typeof citationShape> {
  return {
    ...supports,
    quote,
    verified: found !== undefined,
    ...(found !== undefined && { document_start: found.start, document_end: found.end }),
    ...(place !== undefined && { place }),
  }
}

/** Returns the citation that has these fields. */
export function fromCitationFields(fields: TypeOf<typeof citationShape>): Citation {
  const { start, end, quote, document_start: from, document_end: to, place } = fields
  return {
    supports: { start, end },
    quote,
    ...(from !== undefined && to !== undefined && { found: { start: from, end: to } }),
    ...(place !== undefined && { place }),
  }
}

/** A citation of a cached reply, which is verified when the reply is used. */
export const reportedCitationShape = objectOf({
  start: count,
  end: count,
  quote: string,
  place: optional(objectOf({ unit: oneOf('characters', 'pages', 'blocks'), start: count, end: count })),
})

/** Returns the fields of a citation that is not verified yet. */
export function toReportedFields({
  supports,
  ...others
}: ReportedCitation): TypeOf<typeof reportedCitationShape> {
  return { ...supports, ...others }
}

/** Returns the citation that has these fields. */
export function fromReportedFields({
  start,
  end,
  ...others
}: TypeOf<typeof reportedCitationShape>): ReportedCitation {
  return { supports: { start, end }, ...others }
}
