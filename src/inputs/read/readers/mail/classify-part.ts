import { type MailPart, startsAsUtf16 } from './mail-message.ts'

/** How a part of a message is read. `file` is not read, only named; `ignored` is not even named. */
export type PartKind =
  | 'container'
  | 'alternative'
  | 'encrypted'
  | 'secured'
  | 'message'
  | 'calendar'
  | 'html'
  | 'enriched'
  | 'text'
  | 'file'
  | 'ignored'

/** Returns how a part is read, by its media type, or by its name if the type is generic. */
export function classifyPart(part: MailPart): PartKind {
  const kind = classifyByType(part)
  return (kind === 'text' || kind === 'enriched') && isBinary(part) ? 'file' : kind
}

function classifyByType({ type, parts, fileName = '' }: MailPart): PartKind {
  if (type === 'multipart/encrypted') return 'encrypted'
  if (type.startsWith('multipart/')) {
    // Without its boundary, the parts are one text.
    return parts.length === 0 ? 'text' : type === 'multipart/alternative' ? 'alternative' : 'container'
  }
  const known = kindByType.get(type)
  if (known !== undefined) return known
  if (type.startsWith('text/')) return 'text'
  const extension = /\.([^./\\]{1,10})$/.exec(fileName)?.[1]?.toLowerCase() ?? ''
  const isUnspecific = type === '' || type === 'application/octet-stream' || !type.includes('/')
  return (isUnspecific ? kindByExtension.get(extension) : undefined) ?? (type === '' ? 'text' : 'file')
}

/** Whether the first bytes have control characters, other than those of encodings. */
function isBinary({ bytes, parameter }: MailPart): boolean {
  const start = bytes.toString('latin1', 0, 4096)
  const controls = start.replace(/[^\x00-\x08\x0e-\x1a\x1c-\x1f]+/g, '').length
  const isWide = startsAsUtf16(bytes) || /^utf-?(?:16|32)/i.test(parameter('charset') ?? '')
  return controls * 100 > start.length && !isWide
}

const kindByType: ReadonlyMap<string, PartKind> = new Map<string, PartKind>([
  ['message/rfc822', 'message'],
  ['message/global', 'message'],
  ['message/news', 'message'],
  ['text/rfc822-headers', 'message'],
  ['message/delivery-status', 'text'],
  ['message/global-delivery-status', 'text'],
  ['message/disposition-notification', 'text'],
  ['message/feedback-report', 'text'],
  ['message/partial', 'text'],
  ['text/calendar', 'calendar'],
  ['application/ics', 'calendar'],
  ['text/html', 'html'],
  ['application/xhtml+xml', 'html'],
  ['text/enriched', 'enriched'],
  ['text/richtext', 'enriched'],
  ['application/json', 'text'],
  ['application/xml', 'text'],
  ['application/yaml', 'text'],
  ['application/x-yaml', 'text'],
  ['application/csv', 'text'],
  ['application/sql', 'text'],
  ['application/x-sh', 'text'],
  ['application/pkcs7-mime', 'secured'],
  ['application/x-pkcs7-mime', 'secured'],
  ['application/pgp-encrypted', 'encrypted'],
  ['application/pkcs7-signature', 'ignored'],
  ['application/x-pkcs7-signature', 'ignored'],
  ['application/pgp-signature', 'ignored'],
  ['application/pgp-keys', 'file'],
  ['text/vcard', 'file'],
  ['text/x-vcard', 'file'],
  ['text/directory', 'file'],
  ['text/css', 'file'],
  ['text/rtf', 'file'],
  ['text/x-amp-html', 'ignored'],
  ['text/watch-html', 'ignored'],
])

const kindByExtension: ReadonlyMap<string, PartKind> = new Map<string, PartKind>([
  ...[
    'txt',
    'text',
    'md',
    'markdown',
    'csv',
    'tsv',
    'log',
    'json',
    'xml',
    'yaml',
    'yml',
    'rst',
    'patch',
    'diff',
  ].map((extension) => [extension, 'text'] as const),
  ['eml', 'message'],
  ['ics', 'calendar'],
  ['vcs', 'calendar'],
  ['html', 'html'],
  ['htm', 'html'],
  ['p7m', 'secured'],
  ['p7s', 'ignored'],
])
