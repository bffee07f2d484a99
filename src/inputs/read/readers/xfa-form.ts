import { decodePDFRawStream, PDFArray, PDFDict, PDFName, type PDFObject, PDFRawStream } from '@cantoo/pdf-lib'
import { parsePdf } from './parse-pdf.ts'
import { checkTextLength, maxUnpackedBytes } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'
import { listXfaValues } from './xfa-data.ts'
import { listXfaLines } from './xfa-template.ts'

/**
 * Returns the text of an XFA form, whose pages only ask the reader to open it in another program: captions and
 * texts of the form in their order, and the values of its fields. No script of the form is executed.
 * @throws UnreadableError if the form is encrypted or holds no text
 */
export async function readXfaForm(bytes: Uint8Array): Promise<string> {
  const packets = await readPackets(bytes).catch((error: unknown) => {
    throw new UnreadableError('no_text', `it is an XFA form that cannot be read: ${(error as Error).message}`)
  })
  const values = await listXfaValues(packets)
  const lines = await listXfaLines(packets, values)
  const rest = values.filter(({ isUsed }) => !isUsed).map(({ name, value }) => `${name}: ${value}`)
  const text = [...lines, ...rest].join('\n')
  checkTextLength(text.length)
  if (text === '')
    throw new UnreadableError('no_text', 'it is an XFA form without text; print it to a PDF first')
  return text
}

/** Returns the XML of the form. It may be in several streams, which are one document together. */
async function readPackets(bytes: Uint8Array): Promise<string> {
  const catalog = await parsePdf(bytes)
  const form = catalog.lookupMaybe(PDFName.of('AcroForm'), PDFDict)
  const xfa = form?.lookup(PDFName.of('XFA'))
  const parts: (PDFObject | undefined)[] =
    xfa instanceof PDFArray ? Array.from({ length: xfa.size() }, (_, n) => xfa.lookup(n)) : [xfa]
  let size = 0
  const texts = parts.map((part) => {
    if (!(part instanceof PDFRawStream)) return ''
    const unpacked = decodePDFRawStream(part).decode()
    size += unpacked.length
    if (size > maxUnpackedBytes) throw new Error(`it unpacks to more than ${maxUnpackedBytes / 1e6} MB`)
    return new TextDecoder().decode(unpacked)
  })
  return texts.join('')
}
