import { isUtf8 } from 'node:buffer'
import { decodeText } from '../../decode-text.ts'
import type { CompoundFolder } from '../compound-file.ts'
import type { MailMessage, MailPart } from '../mail/mail-message.ts'
import { parseMailMessage } from '../mail/mail-message.ts'
import { findCodePage } from '../rtf/code-page.ts'
import { readRtfMail } from '../rtf.ts'
import { decompressRtf } from './decompress-rtf.ts'
import {
  findMessagePage,
  namedProperties,
  outlookProperties as names,
  type OutlookProperties,
  openOutlookProperties,
  readNamedProperties,
} from './outlook-properties.ts'

/** Sizes in bytes of the header before the properties of a file, of an attached message, and of anything else. */
const headerBytes = { file: 32, message: 24, other: 8 } as const

/**
 * Returns a message that Outlook saved, in the form in which e-mail is written as text.
 * @param encoding of text attachments that are not UTF-8; see `--encoding`
 */
export async function readOutlookMessage(
  folder: CompoundFolder,
  encoding: string | undefined,
): Promise<MailMessage> {
  return readMessage(folder, { kind: 'file', encoding, named: readNamedProperties(folder) })
}

interface Context {
  readonly kind: 'file' | 'message'
  readonly encoding: string | undefined
  /** The numbers of named properties. */
  readonly named: ReadonlyMap<number, number>
}

async function readMessage(folder: CompoundFolder, context: Context): Promise<MailMessage> {
  const { kind, named } = context
  const fixed = openOutlookProperties(folder, headerBytes[kind], findCodePage(1252))
  const decode = findMessagePage(fixed)
  const properties = openOutlookProperties(folder, headerBytes[kind], decode)
  const openAll = (prefix: string) =>
    [...folder.folders]
      .filter(([name]) => name.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, inner]) => ({ inner, ...openOutlookProperties(inner, headerBytes.other, decode) }))
  const subject = properties.readText(names.subject).replace(/\s+/g, ' ')
  const attachments: MailPart[] = []
  for (const attachment of openAll('__attach_version1.0_'))
    attachments.push(await readAttachment(attachment, context))
  const body = createPart('multipart/alternative', { parts: await readBodies(properties) })
  return {
    subject,
    head: [
      ...formatHead(subject, properties, openAll('__recip_version1.0_')),
      ...formatAppointment(properties, named),
    ],
    root: createPart('multipart/mixed', { parts: [body, ...attachments] }),
  }
}

function formatHead(
  subject: string,
  properties: OutlookProperties,
  recipients: readonly OutlookProperties[],
): readonly string[] {
  const { readText, readTime } = properties
  const date = readTime(names.sentAt) ?? readTime(names.receivedAt)
  const listRecipients = (type: number, shown: number) =>
    recipients
      .filter(({ readNumber }) => (readNumber(names.recipientType) ?? 1) % 16 === type)
      .map(formatRecipient)
      .filter(Boolean)
      .join(', ') || readText(shown).replaceAll(';', ',')
  return toLines([
    ['Subject', subject],
    ['From', formatSender(properties)],
    ['To', listRecipients(1, names.shownTo)],
    ['Cc', listRecipients(2, names.shownCc)],
    ['Date', date?.toISOString() ?? ''],
  ])
}

function formatAppointment(
  { readText, readTime }: OutlookProperties,
  named: ReadonlyMap<number, number>,
): readonly string[] {
  if (!/^IPM\.(?:Appointment|Schedule)/i.test(readText(names.messageClass))) return []
  const find = (property: number) => named.get(property) ?? 0
  const times = [namedProperties.startsAt, namedProperties.endsAt].map((time) => readTime(find(time)))
  return toLines([
    ['When', times.flatMap((time) => time?.toISOString() ?? []).join(' to ')],
    ['Where', readText(find(namedProperties.place))],
  ])
}

function toLines(fields: readonly (readonly [string, string])[]): readonly string[] {
  return fields.flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]))
}

function formatSender({ readText }: OutlookProperties): string {
  const address =
    readText(names.senderInternetAddress) ||
    (readText(names.senderType).toUpperCase() === 'SMTP' ? readText(names.senderAddress) : '')
  return formatPerson(readText(names.senderName) || readText(names.sentForName), address)
}

function formatRecipient({ readText }: OutlookProperties): string {
  const address =
    readText(names.internetAddress) ||
    (readText(names.addressType).toUpperCase() === 'SMTP' ? readText(names.address) : '')
  return formatPerson(readText(names.name), address)
}

function formatPerson(written: string, address: string): string {
  const name = written.replace(/^'(.*)'$/, '$1')
  return address === '' || name === address ? name : name === '' ? address : `${name} <${address}>`
}

/** Returns the versions of the text: plain, and HTML, which may be packed into RTF. */
async function readBodies(properties: OutlookProperties): Promise<readonly MailPart[]> {
  const parts: MailPart[] = []
  const addText = (type: string, text: string) => {
    if (text.trim() !== '') parts.push(createPart(type, { text, bytes: Buffer.from(text) }))
  }
  addText('text/plain', properties.readText(names.plainBody))
  const html = properties.readBytes(names.htmlBody)
  if (html === undefined) addText('text/html', properties.readText(names.htmlBody))
  else addText('text/html', decodeHtml(html, properties))
  if (parts.some(({ type }) => type === 'text/html')) return parts
  const rtf = properties.readBytes(names.rtfBody)
  if (rtf === undefined) return parts
  const mail = readRtfMail(decompressRtf(rtf))
  if (mail.type === 'text/html' || parts.length === 0) addText(mail.type, mail.text)
  return parts
}

function decodeHtml(bytes: Buffer, { readNumber }: OutlookProperties): string {
  const page = readNumber(names.internetCodePage) ?? readNumber(names.codePage) ?? 1252
  return isUtf8(bytes) ? bytes.toString() : findCodePage(page)(bytes)
}

async function readAttachment(
  { readText, readBytes, findFolder }: OutlookProperties,
  context: Context,
): Promise<MailPart> {
  const { encoding } = context
  const fileName =
    readText(names.longFileName) || readText(names.shortFileName) || readText(names.name) || undefined
  const inner = findFolder(names.attachedData)
  if (inner?.streams.has('__properties_version1.0')) {
    return createPart('message/rfc822', {
      fileName,
      isAttachment: true,
      readMessage: () => readMessage(inner, { ...context, kind: 'message' }),
    })
  }
  const bytes = readBytes(names.attachedData) ?? Buffer.alloc(0)
  const type = readText(names.mediaType).toLowerCase() || 'application/octet-stream'
  // The parts of a signed message are in an attachment.
  if (type.startsWith('multipart/')) return (await parseMailMessage(bytes, encoding)).root
  return createPart(type, { fileName, isAttachment: true, bytes, encoding })
}

interface PartOptions
  extends Partial<Pick<MailPart, 'fileName' | 'isAttachment' | 'bytes' | 'parts' | 'readMessage'>> {
  readonly text?: string
  readonly encoding?: string | undefined
}

function createPart(
  type: string,
  {
    fileName,
    isAttachment = false,
    bytes = Buffer.alloc(0),
    parts = [],
    text,
    encoding = 'windows-1252',
    readMessage,
  }: PartOptions,
): MailPart {
  return {
    type,
    parameter: () => undefined,
    fileName,
    isAttachment,
    header: () => undefined,
    bytes,
    readText: async () => text ?? decodeBytes(bytes, encoding, type),
    parts,
    ...(readMessage !== undefined && { readMessage }),
  }
}

async function decodeBytes(bytes: Buffer, encoding: string, type: string): Promise<string> {
  const decoded = await decodeText(bytes, { encoding, isHtml: type === 'text/html' })
  return 'text' in decoded ? decoded.text : ''
}
