import { truncate } from '../../../../core/text/truncate.ts'
import { extractHtmlText } from '../html-reader.ts'
import { UnreadableError } from '../unreadable-error.ts'
import { readAppointments } from './calendar.ts'
import { type AlternativeText, chooseAlternative } from './choose-alternative.ts'
import { classifyPart, type PartKind } from './classify-part.ts'
import { type MailMessage, type MailPart, parseMailMessage } from './mail-message.ts'
import { cleanMailText, encryptedMark, extractEnrichedText } from './mail-text.ts'
import { readSecuredContent } from './signed-content.ts'

export interface MailOptions {
  /** The encoding of text that declares none and is not UTF-8; see `--encoding`. */
  readonly encoding?: string | undefined
}

/**
 * Returns a message as text: its head, its body, then each calendar, text attachment and attached message
 * under a heading of this level.
 * @throws UnreadableError if its content is encrypted, or only in attachments that are not read
 */
export async function formatMailMessage(
  { head, root }: MailMessage,
  { level, depth = 0, encoding, listFiles = true }: FormatOptions,
): Promise<string> {
  const content = createContent()
  await readPart(root, { content, level, depth, encoding, isBody: true })
  const { bodies, sections, files, unreadable } = content
  if (bodies.length === 0 && sections.size === unreadable.length) {
    if (unreadable[0] !== undefined) throw unreadable[0]
    if (files.length > 0) throw new UnreadableError('no_text', `${noTextMessage}: ${files.join(', ')}`)
  }
  const lines = files.length === 0 || !listFiles ? head : [...head, `Attachments: ${files.join(', ')}`]
  return [lines.join('\n'), ...bodies, ...sections].filter((text) => text !== '').join('\n\n')
}

const noTextMessage = 'the e-mail has no text, only attachments that claude-batch does not read'

interface FormatOptions extends MailOptions {
  /** Of the headings of attachments. */
  readonly level: number
  /** Number of messages around this one. @default 0 */
  readonly depth?: number
  /** Whether the head names the attachments. @default true */
  readonly listFiles?: boolean
}

/** What was found in a message. */
interface Content {
  readonly bodies: string[]
  /** In their order, each once: a calendar is often both a part of the text and an attachment. */
  readonly sections: Set<string>
  /** Why sections have no text. */
  readonly unreadable: UnreadableError[]
  /** Names and types of attachments. */
  readonly files: string[]
}

interface Context extends MailOptions {
  readonly content: Content
  readonly level: number
  /** Number of messages around this one. */
  readonly depth: number
  /** Whether text belongs to the body although it has a file name. */
  readonly isBody: boolean
}

function createContent(): Content {
  return { bodies: [], sections: new Set(), unreadable: [], files: [] }
}

async function readPart(part: MailPart, context: Context): Promise<void> {
  const kind = classifyPart(part)
  if (kind === 'ignored') return
  if (kind === 'encrypted') return addEncrypted(context)
  if (kind === 'secured') return readSecured(part, context)
  if (kind === 'alternative') return readAlternative(part, context)
  if (kind === 'container') {
    const isBody = context.isBody && part.type !== 'multipart/mixed'
    for (const child of part.parts) await readPart(child, { ...context, isBody })
    return
  }
  const isNamed = part.isAttachment || (part.fileName !== undefined && !context.isBody)
  if (part.bytes.length > 0 && ((isNamed && part.fileName !== undefined) || kind === 'file'))
    addFile(part, context)
  if (kind === 'message') await readAttachedMessage(part, context)
  else if (kind === 'calendar') await readCalendar(part, context)
  else if (kind !== 'file') {
    const text = await readWords(part, kind)
    if (text !== '' && isNamed)
      addSection(context, `Attachment: ${part.fileName ?? part.type}`, shorten(text))
    else if (text.startsWith(encryptedMark)) addEncrypted(context)
    else if (text !== '') context.content.bodies.push(text)
  }
}

async function readWords(part: MailPart, kind: PartKind): Promise<string> {
  const text = await part.readText()
  if (kind === 'html') return cleanMailText(await extractHtmlText(text)).trim()
  return cleanMailText(kind === 'enriched' ? extractEnrichedText(text) : text).trim()
}

async function readAlternative({ parts }: MailPart, context: Context): Promise<void> {
  const { content } = context
  const versions: AlternativeText[] = []
  for (const part of parts) {
    const version = createContent()
    await readPart(part, { ...context, content: version, isBody: true })
    versions.push({ type: part.type, isHtml: hasHtml(part), text: version.bodies.join('\n\n') })
    for (const section of version.sections) content.sections.add(section)
    content.unreadable.push(...version.unreadable)
    content.files.push(...version.files)
  }
  const text = chooseAlternative(versions)
  if (text !== '') content.bodies.push(text)
}

function hasHtml(part: MailPart): boolean {
  return classifyPart(part) === 'html' || part.parts.some(hasHtml)
}

/** Reads what an S/MIME attachment signs, as if it were a part of the message. */
async function readSecured(part: MailPart, context: Context): Promise<void> {
  const secured = readSecuredContent(part.bytes)
  if (secured.type === 'encrypted' || /enveloped/i.test(part.parameter('smime-type') ?? ''))
    return addEncrypted(context)
  if (secured.type === 'other' || context.depth >= maxDepth) return addFile(part, context)
  const { root } = await parseMailMessage(secured.content, context.encoding)
  await readPart(root, { ...context, depth: context.depth + 1 })
}

async function readAttachedMessage(part: MailPart, context: Context): Promise<void> {
  const { content, level, depth, encoding } = context
  if (depth >= maxDepth) return content.files.length === 0 ? addFile(part, context) : undefined
  const message = await (part.readMessage?.() ?? parseMailMessage(part.bytes, encoding))
  const title = `Attached message: ${message.subject || part.fileName || 'without a subject'}`
  try {
    const text = await formatMailMessage(message, { level: level + 1, depth: depth + 1, encoding })
    if (text !== '') addSection(context, title, text)
  } catch (error) {
    if (!(error instanceof UnreadableError) || error.type === 'too_large') throw error
    content.unreadable.push(error)
    addSection(context, title, [...message.head, '', `[not read: ${error.message}]`].join('\n'))
  }
}

/** Maximum messages inside each other. Deeper ones are only named. */
const maxDepth = 10

async function readCalendar(part: MailPart, context: Context): Promise<void> {
  const text = await part.readText()
  const appointments = readAppointments(text)
  for (const { summary, details } of appointments)
    addSection(context, `Appointment: ${summary || 'without a title'}`, details)
  if (appointments.length === 0 && text.trim() !== '')
    addSection(context, `Attachment: ${part.fileName ?? part.type}`, shorten(text.trim()))
}

function addSection({ content, level }: Context, title: string, text: string): void {
  const section = `${'#'.repeat(Math.min(level, 6))} ${title.replace(/\s+/g, ' ')}\n\n${text}`
  content.sections.add(section.trimEnd())
}

function addFile({ fileName, type }: MailPart, { content }: Context): void {
  content.files.push(`${fileName ?? 'unnamed'} (${type})`)
}

/** @throws UnreadableError unless the message has text before the encrypted content */
function addEncrypted({ content }: Context): void {
  if (content.bodies.length === 0)
    throw new UnreadableError('encrypted', 'the e-mail is encrypted; save it decrypted')
  content.bodies.push(encryptedMark)
}

function shorten(text: string): string {
  const shown = truncate(text, maxAttachmentChars)
  return shown === text ? text : `${shown}\n… and ${text.length - shown.length} characters more`
}

/** Maximum characters of an attachment: about 25,000 tokens. */
const maxAttachmentChars = 100_000
