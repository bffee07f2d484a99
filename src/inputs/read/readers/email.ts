import { htmlText } from './html.ts'

/**
 * An e-mail: subject, sender, receivers and date, then what was written, as plain text where it has that and else from
 * its HTML; attachments are named. Library: postal-mime, which knows the encodings and character sets of mail.
 */
export async function emailText(bytes: Uint8Array): Promise<string> {
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
  const written = text.trim() === '' && html !== '' ? await htmlText(html) : text.trim()
  const named = attachments.map(({ filename, mimeType }) => `${filename ?? 'unnamed'} (${mimeType})`)
  const head = [
    ['Subject', subject],
    ['From', namesOf(from === undefined ? [] : [from])],
    ['To', namesOf(to)],
    ['Cc', namesOf(cc)],
    ['Date', date],
    ['Attachments', named.join(', ')],
  ].flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name}: ${value}`]))
  return `${head.join('\n')}\n\n${written}\n`
}

interface Address {
  readonly name: string
  readonly address?: string | undefined
}

function namesOf(addresses: readonly Address[] = []): string {
  return addresses
    .map(({ name, address = '' }) => (name === '' ? address : address === '' ? name : `${name} <${address}>`))
    .join(', ')
}
