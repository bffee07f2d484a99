import { PDFCatalog, PDFParser } from '@cantoo/pdf-lib'

/** Parsing and writing let other work go on after this many objects. */
export const objectsPerTick = 100

/**
 * Returns the catalog of a PDF, which leads to all its objects. Library: @cantoo/pdf-lib. Its class for whole
 * documents is not used, because it would add fonts, forms and drawing to the package: three times the code.
 * @throws Error if the PDF is encrypted or damaged
 */
export async function parsePdf(bytes: Uint8Array): Promise<PDFCatalog> {
  const context = await PDFParser.forBytesWithOptions(bytes, objectsPerTick).parseDocument()
  if (context.lookup(context.trailerInfo.Encrypt) !== undefined) throw new Error('it is encrypted')
  const catalog = context.lookup(context.trailerInfo.Root)
  if (!(catalog instanceof PDFCatalog)) throw new Error('it has no catalog')
  return catalog
}
