import { UnreadableError } from '../unreadable-error.ts'

/**
 * Returns the messages of a mailbox file (mbox), without the `From ` line before each and without the `>` of
 * quoted `From ` lines; undefined if the file does not begin like a mailbox.
 * @see https://www.rfc-editor.org/rfc/rfc4155
 */
export function splitMailbox(bytes: Buffer): readonly Buffer[] | undefined {
  const messages: Buffer[] = []
  let pieces: Buffer[] | undefined
  let copied = 0
  let isAfterEmptyLine = true
  const endMessage = (at: number) => {
    if (pieces === undefined) return
    messages.push(Buffer.concat([...pieces, bytes.subarray(copied, at)]))
    if (messages.length > maxMessages)
      throw new UnreadableError('too_large', `it holds more than ${maxMessages} messages; split it`)
  }
  const start = bytes.toString('latin1', 0, 3) === '\xef\xbb\xbf' ? 3 : 0
  for (let at = start; at < bytes.length; ) {
    const next = bytes.indexOf(lineFeed, at) + 1 || bytes.length
    const isEmpty = next - at <= 2 && bytes.toString('latin1', at, next).trim() === ''
    if (isSeparator(bytes, at, next, isAfterEmptyLine)) {
      endMessage(at)
      pieces = []
      copied = next
    } else if (pieces === undefined) {
      if (!isEmpty) return undefined
    } else if (bytes[at] === quote && /^>+From /.test(bytes.toString('latin1', at, at + maxQuotes))) {
      pieces.push(bytes.subarray(copied, at))
      copied = at + 1
    }
    isAfterEmptyLine = isEmpty
    at = next
  }
  endMessage(bytes.length)
  return pieces && messages
}

/** More are more text than any model can read, except for tiny ones. */
const maxMessages = 20_000

const lineFeed = 10
const quote = 0x3e

/** Characters of `>>>From ` that are examined. */
const maxQuotes = 50

/**
 * Whether a line begins another message. Bodies have lines that begin with `From ` too, and some programs do
 * not quote them, so an empty line before it, a date in it and a header after it count.
 */
function isSeparator(bytes: Buffer, at: number, next: number, isAfterEmptyLine: boolean): boolean {
  if (bytes[at] !== 0x46 || bytes.toString('latin1', at, at + 5) !== 'From ') return false
  const hasDate = envelopeDate.test(bytes.toString('latin1', at, Math.min(next, at + 300)))
  const hasHeader = firstHeader.test(bytes.toString('latin1', next, next + 50))
  return isAfterEmptyLine ? hasDate || hasHeader : hasDate && hasHeader
}

/** Matches a date as in `Mon Jun  3 12:50:27 1996`, and the lines that programs write without a date. */
const envelopeDate =
  /^From (?:-|\S{1,100}@\S{1,100})\s*$|\s(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s+\w{1,3}\s+\w{1,3}\s+\d{1,2}:\d{2}/

/** Headers that a message begins with. */
const firstHeader =
  /^(?:>From |(?:from|to|subject|date|received|return-path|message-id|mime-version|delivered-to|status|(?:content|x|list|resent)-[!-9;-~]{1,40})\s?:)/i
