import { AskError } from '../core/errors/ask-error.ts'

/**
 * Yields the lines of a JSONL body as they arrive, without blank lines. A line longer than the limit is
 * truncated, so that it uses no more memory and does not delay the next lines. A last line without a line
 * break is yielded only if it is a complete JSON object: the connection may have closed in the middle of the
 * line.
 * @param maxLineChars the limit in characters
 * @throws AskError `malformed` if the body ends in the middle of a line; the error of the body
 */
export async function* readJsonLines(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxLineChars: number,
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pieces: string[] = []
  let length = 0
  const addPiece = (piece: string) => {
    const kept = piece.slice(0, maxLineChars - length)
    if (kept === '') return
    pieces.push(kept)
    length += kept.length
  }
  const takeLine = () => {
    const line = pieces.join('')
    pieces = []
    length = 0
    return line
  }
  for await (const chunk of body) {
    const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n')
    addPiece(first)
    for (const next of more) {
      const line = takeLine()
      if (line.trim() !== '') yield line
      addPiece(next)
    }
  }
  const last = takeLine()
  if (last.trim() === '') return
  if (!isCompleteJsonObject(last))
    throw new AskError({
      kind: 'malformed',
      type: 'malformed_reply',
      message: 'the results broke off in the middle of a line',
    })
  yield last
}

/** Whether a text is a complete JSON object. A truncated object is never valid JSON. */
function isCompleteJsonObject(text: string): boolean {
  try {
    return text.trimStart().startsWith('{') && JSON.parse(text) !== null
  } catch {
    return false
  }
}
