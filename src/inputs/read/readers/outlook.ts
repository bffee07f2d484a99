import { openCompoundFile } from './compound-file.ts'
import { formatMailMessage, type MailOptions } from './mail/mail-content.ts'
import { readOutlookMessage } from './outlook/outlook-message.ts'

/**
 * Returns the text of a message that Outlook saved (.msg): its subject, sender, recipients, date and names of
 * attachments, its body, and the texts and messages attached to it.
 * @throws UnreadableError if it is damaged or encrypted, or has nothing but attachments that are not read
 */
export async function extractOutlookText(bytes: Buffer, { encoding }: MailOptions): Promise<string> {
  const message = await readOutlookMessage(openCompoundFile(bytes), encoding)
  return formatMailMessage(message, { level: 2, encoding })
}
