/** What a file is by its first bytes, and what the user can do about it. */
export interface IdentifiedContent {
  /** `other`: a format that no reader takes under a wrong name; `unknown`: binary data of no known format. */
  readonly kind: 'text' | 'html' | 'xml' | 'markup' | 'json' | 'other' | 'unknown'
  /** With its article: `an HTML page`. */
  readonly what: string
  readonly advice: string
}

/** Bytes at the beginning of a file that are examined. */
export const sniffedBytes = 1024

/** Returns what a file is by its first bytes. */
export function identifyContent(bytes: Buffer): IdentifiedContent {
  const start = bytes.subarray(0, sniffedBytes)
  const raw = start.toString('latin1')
  const binary = signatures.find(([signature]) => signature.test(raw))
  if (binary !== undefined) return { kind: 'other', what: binary[1], advice: binary[2] }
  const text = decodeStart(start)
  if (hasBinaryControlChars(text)) return { kind: 'unknown', what: 'unknown binary data', advice: getAgain }
  const found = textKinds.find(({ pattern }) => pattern.test(text))
  return found ?? { kind: 'text', what: 'plain text', advice: 'if that is right, rename it to .txt' }
}

const getAgain = 'download or copy it again'
const toDocx = 'convert it to .docx, for example: soffice --headless --convert-to docx FILE'

const signatures: readonly (readonly [signature: RegExp, what: string, advice: string])[] = [
  [/^\0+$/, 'zero bytes (perhaps an incomplete download)', getAgain],
  [/^PK\x05\x06/, 'an empty zip archive', getAgain],
  [/^PK(?:\x03\x04|\x07\x08)/, 'a zip archive', 'unpack it'],
  [
    /^\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1/,
    'an old Office file or an Outlook message',
    'save it as .docx, .xlsx, .pptx or .eml',
  ],
  [/^(?:\xdb\xa5[\s\S]\0|\x9b\xa5[\s\S]\0|1\xbe\0\0\0\xab|\xfe[27]\0)/, 'a file of Word 2 or older', toDocx],
  [/^\xffWPC/, 'a WordPerfect document', toDocx],
  [/^\x89PNG/, 'a PNG image', 'if that is right, rename it to .png'],
  [/^\xff\xd8\xff/, 'a JPEG image', 'if that is right, rename it to .jpg'],
  [/^GIF8/, 'a GIF image', 'if that is right, rename it to .gif'],
  [/^(?:II[*+]\0|MM\0[*+])/, 'a TIFF image', 'if that is right, rename it to .tif'],
  [/^RIFF[\s\S]{4}WEBP/, 'a WebP image', 'if that is right, rename it to .webp'],
  [/^\x1f\x8b/, 'a gzip file', 'unpack it'],
  [/^7z\xbc\xaf\x27\x1c/, 'a 7z archive', 'unpack it'],
  [/^Rar!\x1a\x07/, 'a RAR archive', 'unpack it'],
  [/^\xfd7zXZ\0/, 'an xz file', 'unpack it'],
  [/^\x28\xb5\x2f\xfd/, 'a Zstandard file', 'unpack it'],
  [/^SQLite format 3\0/, 'an SQLite database', getAgain],
  [/^\0\x05\x16[\0\x07]/, 'Mac metadata (AppleDouble)', getAgain],
]

interface TextKind extends IdentifiedContent {
  readonly pattern: RegExp
}

const textKinds: readonly TextKind[] = [
  {
    kind: 'html',
    // XHTML may declare XML first, and saved pages begin with comments.
    pattern:
      /^\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--(?:(?!-->)[\s\S])*-->\s*)*<(?:!doctype\s+html|html|head|body|title|meta|script)\b/i,
    what: 'an HTML page (perhaps a sign-in page)',
    advice: 'download it again',
  },
  {
    kind: 'other',
    pattern: /^\s*<\?xml[^>]{0,200}\?>\s*<\?mso-application\s+progid="Word/,
    what: 'a Word document in XML',
    advice: toDocx,
  },
  {
    kind: 'xml',
    pattern: /^\s*<\?xml/i,
    what: 'XML (perhaps an error message)',
    advice: 'download it again',
  },
  {
    kind: 'markup',
    pattern: /^\s*<(?:[a-z][\w:.-]*[\s/>]|!doctype)/i,
    what: 'markup (perhaps an error message)',
    advice: 'download it again',
  },
  {
    kind: 'json',
    pattern: /^\s*(?:\{\s*["}]|\[\s*(?:[{["\]]|-?\d+(?:\.\d+)?\s*[,\]]|true|false|null))/,
    what: 'JSON (perhaps an error message)',
    advice: 'download it again',
  },
  {
    kind: 'other',
    pattern: /^%!PS/,
    what: 'PostScript',
    advice: 'convert it to PDF, for example with ps2pdf',
  },
  {
    kind: 'other',
    pattern: /^(?:data:[^,]{0,100},)?(?:JVBERi0|UEsDB)[\w+/=-]+/,
    what: 'a file in Base64',
    advice: 'decode it',
  },
]

/** Decodes the beginning of a file as UTF-16 if it has such a byte-order mark, and otherwise byte by byte. */
function decodeStart(start: Buffer): string {
  const [first, second] = start
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  if (!isUtf16) return start.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  return new TextDecoder(first === 0xff ? 'utf-16le' : 'utf-16be').decode(start)
}

/** Whether the text has control characters that binary data has, and text has not. */
function hasBinaryControlChars(text: string): boolean {
  return /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)
}
