import { decodePDFRawStream, PDFContext, PDFRawStream } from '@cantoo/pdf-lib'

/**
 * Unpacks the LZW of TIFFs and PDFs, up to a number of bytes. Library: @cantoo/pdf-lib, whose decoder ends for any
 * data.
 */
export function decodeLzw(packed: Uint8Array, maxBytes: number): Uint8Array {
  const dictionary = PDFContext.create().obj({ Filter: 'LZWDecode' })
  return Buffer.from(decodePDFRawStream(PDFRawStream.of(dictionary, packed)).getBytes(maxBytes))
}
