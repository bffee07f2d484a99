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
  return found === undefined || bytes.includes(archiveNames[named]) ? named : found
}

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

function isArchiveFormat(format: string | undefined): format is ArchiveFormat {
  return format !== undefined && Object.hasOwn(archiveNames, format)
}
