import { extractHtmlText } from './html-reader.ts'

/**
 * Returns the text of an e-mail: subject, sender, recipients, date and names of attachments, then the body.
 * The body is the plain text if there is one, otherwise the text of the HTML. Library: postal-mime, which
 * knows the encodings and character sets of mail.
 */
export async function extractEmailText(bytes: Uint8Array): Promise<string> {
  const { default: PostalMime } = await import('postal-mime')
  const {
    subject,
    from,
    to,
    cc,
    date,
    text = '',
    html = '',
    attachments,
  } = await PostalMime.parse(bytes, {
    maxNestingDepth: 50,
  })
  const bodyText = text.trim() === '' && html !== '' ? await extractHtmlText(html) : text.trim()
  const attachmentNames = attachments.map(
    ({ filename, mimeType }) => `${filename ?? 'unnamed'} (${mimeType})`,
  )
  const head = [
    ['Subject', subject],
    ['From', formatAddresses(from === undefined ? [] : [from])],
    ['To', formatAddresses(to)],
    ['Cc', formatAddresses(cc)],
    ['Date', date],
    ['Attachments', attachmentNames.join(', ')],
  ].flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name}: ${value}`]))
  return `${head.join('\n')}\n\n${bodyText}\n`
}

interface Address {
  readonly name: string
  readonly address?: string | undefined
}

function formatAddresses(addresses: readonly Address[] = []): string {
  return addresses
    .map(({ name, address = '' }) => (name === '' ? address : address === '' ? name : `${name} <${address}>`))
    .join(', ')
}
