import { isUtf8 } from 'node:buffer'
import { fixWindows1252 } from '../../windows-1252.ts'

/**
 * Returns a message in which every header section ends with an empty line, so that a parser does not take
 * the first paragraph of a body for headers. A section without any header that mail programs write is part
 * of the body. Header lines that are not UTF-8 are read as windows-1252.
 */
export function repairMailHeaders(message: Buffer): Buffer {
  const bytes = skipBlankStart(message.includes(lineFeed) ? message : unifyLineEnds(message))
  const boundaries = new Set<string>()
  const output: Buffer[] = []
  let copied = 0
  const insert = (at: number, added: Buffer, end = at) => {
    output.push(bytes.subarray(copied, at), added)
    copied = end
  }
  const repairSection = (start: number): number => {
    const { end, isKnown, isEnded, isText } = readHeaderSection(bytes, start, boundaries)
    if (!isKnown) {
      if (end > start || !isEnded) insert(start, emptyLine)
      return end
    }
    if (!isText) insert(start, Buffer.from(fixWindows1252(bytes.toString('latin1', start, end))), end)
    if (!isEnded) insert(end, emptyLine)
    return end
  }

  let at = repairSection(0)
  while (at < bytes.length) {
    const end = findLineEnd(bytes, at)
    const isBoundary = boundaries.has(readBoundary(bytes, at, end))
    at = isBoundary ? repairSection(end) : end
  }
  return output.length === 0 ? bytes : Buffer.concat([...output, bytes.subarray(copied)])
}

interface HeaderSection {
  /** Where the first line after the headers begins. */
  readonly end: number
  /** Whether it has a header that mail programs write. */
  readonly isKnown: boolean
  /** Whether an empty line or a boundary follows. */
  readonly isEnded: boolean
  /** Whether it is UTF-8. */
  readonly isText: boolean
}

/** Reads the headers that begin here. @param boundaries receives the boundaries that they declare */
function readHeaderSection(bytes: Buffer, start: number, boundaries: Set<string>): HeaderSection {
  let [at, isKnown] = [start, false]
  let isEnded = false
  while (at < bytes.length) {
    const end = findLineEnd(bytes, at)
    const line = bytes.toString('latin1', at, Math.min(end, at + maxLineChars))
    const boundary = readBoundary(bytes, at, end)
    isEnded = /^\r*\n?$/.test(line) || boundaries.has(boundary) || boundaries.has(boundary.slice(0, -2))
    const isContinuation = at > start && /^[ \t]/.test(line)
    const isEnvelope = at === start && /^>?From /.test(line)
    if (isEnded || !(isContinuation || isEnvelope || headerPattern.test(line))) break
    isKnown ||= knownHeader.test(line)
    const [, quoted, token] = /\bboundary\s*=\s*(?:"([^"\r\n]{1,200})|([^\s;"]{1,200}))/i.exec(line) ?? []
    const declared = (quoted ?? token)?.trimEnd()
    if (declared !== undefined) boundaries.add(declared)
    at = end
  }
  return { end: at, isKnown, isEnded, isText: isUtf8(bytes.subarray(start, at)) }
}

const lineFeed = 10
const emptyLine = Buffer.from('\r\n')

/** Characters of a line that are examined. */
const maxLineChars = 1000

const headerPattern = /^[!-9;-~]{1,100}[ \t]{0,10}:/

const knownHeader =
  /^(?:from|to|cc|bcc|subject|date|received|sender|return-path|delivered-to|reply-to|message-id|references|in-reply-to|mime-version|status|(?:content|x|list|resent|dkim|arc|authentication|thread|original)-[!-9;-~]{1,80})[ \t]{0,10}:/i

/** Returns the text after `--` in a line that may be a boundary, otherwise an empty string. */
function readBoundary(bytes: Buffer, at: number, end: number): string {
  const mayBeBoundary = bytes[at] === 0x2d && bytes[at + 1] === 0x2d && end - at < maxLineChars
  return mayBeBoundary ? bytes.toString('latin1', at + 2, end).trimEnd() : ''
}

/** Returns where the next line begins. */
function findLineEnd(bytes: Buffer, at: number): number {
  return bytes.indexOf(lineFeed, at) + 1 || bytes.length
}

/** Skips a byte-order mark, and the empty lines before the headers. */
function skipBlankStart(bytes: Buffer): Buffer {
  const start = /^(?:\xef\xbb\xbf)?[\r\n]*/.exec(bytes.toString('latin1', 0, maxLineChars))?.[0].length ?? 0
  return bytes.subarray(start)
}

/** Replaces the line ends of old Mac programs. */
function unifyLineEnds(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll('\r', '\n'), 'latin1')
}
