/** The formats that are zip archives. */
export type ArchiveFormat = 'docx' | 'pptx' | 'xlsx' | 'epub' | 'odf'

/**
 * Returns the format of a zip archive; undefined if it has none that can be read. Its name takes precedence,
 * because one archive may contain another. The names in its index are not compressed, so they can be searched
 * for.
 */
export function detectArchiveFormat(named: string | undefined, bytes: Buffer): ArchiveFormat | undefined {
  const found = archiveMarkers.find(([, part]) => bytes.includes(part))?.[0]
  if (!isArchiveFormat(named)) return found
  if (bytes.includes(archiveNames[named])) return named
  const isOther = bytes.includes(archiveEnd) && !packageNames.some((part) => bytes.includes(part))
  return found ?? (isOther ? undefined : named)
}

/** The signature at the end of a complete zip archive. A damaged one is reported as a damaged document. */
const archiveEnd = 'PK\x05\x06'

const archiveMarkers: readonly (readonly [ArchiveFormat, string])[] = [
  ['docx', 'word/document.xml'],
  ['pptx', 'ppt/presentation.xml'],
  ['xlsx', 'xl/workbook.xml'],
  ['epub', 'application/epub+zip'],
  ['odf', 'application/vnd.oasis.opendocument'],
]

/** A name that every archive of the format contains, even if its parts have unusual names. */
const archiveNames: Readonly<Record<ArchiveFormat, string>> = {
  docx: 'word/',
  pptx: 'ppt/',
  xlsx: 'xl/',
  epub: 'META-INF/container.xml',
  odf: 'content.xml',
}

/** Names that archives of all these formats contain, and other zip archives do not. */
const packageNames = ['[Content_Types].xml', '_rels/', 'META-INF/', 'mimetype']

function isArchiveFormat(format: string | undefined): format is ArchiveFormat {
  return format !== undefined && Object.hasOwn(archiveNames, format)
}
