import { isUtf8 } from 'node:buffer'
import { decodeText } from '../../decode-text.ts'
import { decodeNearlyUtf8 } from '../../nearly-utf8.ts'
import { fixWindows1252 } from '../../windows-1252.ts'
import { repairMailHeaders } from './repair-mail-headers.ts'

/** A message, or a part of one, with its transfer encoding decoded. */
export interface MailPart {
  /** The media type in lower case, such as `text/plain`. */
  readonly type: string
  /** A parameter of the content type, such as `charset`. */
  readonly parameter: (name: string) => string | undefined
  readonly fileName: string | undefined
  /** Whether the sender marked it as an attachment. */
  readonly isAttachment: boolean
  /** Returns the first header of this name, unfolded. @param name in lower case */
  readonly header: (name: string) => string | undefined
  readonly bytes: Buffer
  readonly readText: () => Promise<string>
  readonly parts: readonly MailPart[]
  /** Returns an attached message, if it is not in the bytes. */
  readonly readMessage?: () => Promise<MailMessage>
}

export interface MailMessage {
  /** Subject, sender, recipients and date as lines, without empty ones. */
  readonly head: readonly string[]
  readonly subject: string
  readonly root: MailPart
}

/**
 * Parses a message into its parts; attached messages are parts that are not parsed. Library: postal-mime,
 * which knows the encodings of mail.
 * @param encoding of text that declares none and is not UTF-8; see `--encoding`
 */
export async function parseMailMessage(bytes: Buffer, encoding: string | undefined): Promise<MailMessage> {
  const { default: PostalMime, addressParser, decodeWords } = await import('postal-mime')
  const parser = new PostalMime({ maxNestingDepth: 50, forceRfc822Attachments: true })
  const { date, headers } = await parser.parse(repairMailHeaders(bytes))
  const find = (name: string) => headers.find(({ key }) => key === name)?.value
  const findAddresses = (name: string) =>
    headers
      .filter(({ key }) => key === name)
      .flatMap(({ value }) => addressParser(value))
      .map(formatAddress)
      .join(', ')
  const subject = decodeWords(find('subject') ?? '').trim()
  const head = [
    ['Subject', subject],
    ['From', findAddresses('from')],
    ['To', findAddresses('to')],
    ['Cc', findAddresses('cc')],
    ['Date', date ?? ''],
  ].flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]))
  // The package exports the texts and attachments, but not which of them are alternatives of each other.
  const { root } = parser as unknown as { readonly root: ParsedNode }
  return { head, subject, root: toPart(root, decodeWords, encoding) }
}

/** A part as postal-mime holds it. */
interface ParsedNode {
  readonly contentType: { readonly parsed: ParsedHeader }
  readonly contentDisposition: { readonly parsed: ParsedHeader }
  readonly headers: readonly { readonly key: string; readonly value: string }[]
  content: ArrayBuffer | null
  readonly childNodes: readonly ParsedNode[]
  /** Decodes the content with its `charset`, and joins the lines of flowed text. */
  getTextContent(): string
}

interface ParsedHeader {
  readonly value: string
  readonly params: Record<string, string>
}

function toPart(
  node: ParsedNode,
  decodeWords: (text: string) => string,
  encoding: string | undefined,
): MailPart {
  const { value: type, params } = node.contentType.parsed
  const disposition = node.contentDisposition.parsed
  const fileName = disposition.params['filename'] ?? params['name']
  const bytes = Buffer.from(node.content ?? new ArrayBuffer(0))
  return {
    type,
    parameter: (name) => params[name],
    fileName: fileName === undefined || fileName === '' ? undefined : decodeWords(fileName),
    isAttachment: disposition.value === 'attachment',
    header: (name) => node.headers.find(({ key }) => key === name)?.value,
    bytes,
    readText: async () => {
      const declared = params['charset'] ?? findDeclaredCharset(type, bytes)
      const nearlyUtf8 = repairUtf8(bytes, declared)
      if (nearlyUtf8 !== undefined) node.content = nearlyUtf8
      params['charset'] = nearlyUtf8 ? 'utf-8' : await findCharset(bytes, declared, encoding)
      return fixWindows1252(node.getTextContent())
    },
    parts: node.childNodes.map((child) => toPart(child, decodeWords, encoding)),
  }
}

/** Returns the character set that the text itself declares: with a byte-order mark, or in an HTML page. */
function findDeclaredCharset(type: string, bytes: Buffer): string | undefined {
  if (startsAsUtf16(bytes)) return bytes[0] === 0xff ? 'utf-16le' : 'utf-16be'
  const start = type === 'text/html' ? bytes.toString('latin1', 0, 2048) : ''
  return /<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,40})/i.exec(start)?.[1]
}

/** Whether text begins with the byte-order mark of UTF-16. */
export function startsAsUtf16([first, second]: Uint8Array): boolean {
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
}

/** Returns text that is UTF-8 but for a few bytes as UTF-8; undefined for other text. */
function repairUtf8(bytes: Buffer, declared = ''): ArrayBuffer | undefined {
  const isOther = declared !== '' && !utf8Charset.test(declared) && !singleByteCharset.test(declared)
  if (isOther || isUtf8(bytes)) return undefined
  const decoded = decodeNearlyUtf8(bytes, utf8Charset.test(declared))
  return decoded && new TextEncoder().encode(decoded.text).buffer
}

/** Returns the character set to decode with: some programs declare none, or one that does not fit. */
async function findCharset(
  bytes: Buffer,
  declared: string | undefined,
  encoding: string | undefined,
): Promise<string> {
  const isTrusted = declared !== undefined && !singleByteCharset.test(declared) && !utf8Charset.test(declared)
  if (isTrusted) return declared
  if (isUtf8(bytes)) return 'utf-8'
  if (declared !== undefined && !/ascii|^utf-?8/i.test(declared)) return declared
  const decoded = encoding === undefined ? undefined : await decodeText(bytes, { encoding })
  return (decoded !== undefined && 'encoding' in decoded ? decoded.encoding : undefined) ?? 'windows-1252'
}

const utf8Charset = /^utf-?8/i

/** Character sets in which text that is valid UTF-8 would be nonsense. */
const singleByteCharset =
  /ascii|^iso[-_]?8859|^latin|^windows-125|^cp-?125|^unknown|^x-unknown|^default|^binary|^8bit/i

interface Address {
  readonly name: string
  readonly address?: string | undefined
  readonly group?: readonly Address[] | undefined
}

function formatAddress({ name, address = '', group }: Address): string {
  if (group !== undefined) return `${name}: ${group.map(formatAddress).join(', ')};`
  return name === '' ? address : address === '' ? name : `${name} <${address}>`
}
