import { formatMailMessage, type MailOptions } from './mail/mail-content.ts'
import { parseMailMessage, startsAsUtf16 } from './mail/mail-message.ts'
import { splitMailbox } from './mail/mailbox.ts'
import { checkTextLength } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'

/**
 * Returns the text of an e-mail, or of a mailbox with each message under a heading. The text of a message is
 * its subject, sender, recipients, date and names of attachments, its body, and the texts attached to it.
 * @throws UnreadableError if it is encrypted, or has nothing but attachments that are not read
 */
export async function extractEmailText(bytes: Buffer, { encoding }: MailOptions): Promise<string> {
  const content = toSingleBytes(bytes)
  const messages = splitMailbox(content) ?? [content]
  if (messages.length === 1 && messages[0] !== undefined)
    return formatMailMessage(await parseMailMessage(messages[0], encoding), { level: 2, encoding })
  const sections: string[] = []
  let firstError: UnreadableError | undefined
  let [length, unreadable] = [0, 0]
  for (const [index, message] of messages.entries()) {
    const parsed = await parseMailMessage(message, encoding)
    const text = await formatMailMessage(parsed, { level: 3, encoding }).catch((error: unknown) => {
      if (!(error instanceof UnreadableError) || error.type === 'too_large') throw error
      firstError ??= error
      unreadable++
      return [...parsed.head, '', `[not read: ${error.message}]`].join('\n')
    })
    const section = `## Message ${index + 1}: ${parsed.subject || 'without a subject'}\n\n${text}`
    sections.push(section)
    length += section.length
    checkTextLength(length)
  }
  if (firstError !== undefined && unreadable === messages.length) throw firstError
  return sections.join('\n\n')
}

/** Returns a message that was saved as UTF-16 as UTF-8, because its structure is that of ASCII. */
function toSingleBytes(bytes: Buffer): Buffer {
  if (!startsAsUtf16(bytes)) return bytes
  return Buffer.from(new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(bytes))
}

/** Returns the text of a web archive (MHTML), which has the form of an e-mail, without its head. */
export async function extractWebArchiveText(bytes: Buffer): Promise<string> {
  const { root } = await parseMailMessage(bytes, undefined)
  return formatMailMessage({ head: [], subject: '', root }, { level: 3, listFiles: false }).catch(
    (error: unknown) => {
      if (error instanceof UnreadableError && error.type === 'no_text') return ''
      throw error
    },
  )
}
