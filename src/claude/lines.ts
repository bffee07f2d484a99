import { AskError } from '../core/errors/ask-error.ts'

/**
 * Yields the lines of a JSONL body as they arrive, without blank ones. A line that is longer than the limit is cut
 * there, so that it takes no more memory and does not hold back the lines after it. A last line without a line break is
 * yielded only where it is a whole JSON object; the connection may have broken off in it.
 * @param longest characters
 * @throws AskError `malformed` where the body ends in the middle of a line; what reading the body throws
 */
export async function* linesOf(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  longest: number,
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pieces: string[] = []
  let length = 0
  const add = (piece: string) => {
    const kept = piece.slice(0, longest - length)
    if (kept === '') return
    pieces.push(kept)
    length += kept.length
  }
  const take = () => {
    const line = pieces.join('')
    pieces = []
    length = 0
    return line
  }
  for await (const chunk of body) {
    const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n')
    add(first)
    for (const next of more) {
      const line = take()
      if (line.trim() !== '') yield line
      add(next)
    }
  }
  const last = take()
  if (last.trim() === '') return
  if (!isWholeObject(last))
    throw new AskError({
      kind: 'malformed',
      type: 'malformed_reply',
      message: 'the results broke off in the middle of a line',
    })
  yield last
}

/** No beginning of a JSON object is JSON. */
function isWholeObject(text: string): boolean {
  try {
    return text.trimStart().startsWith('{') && JSON.parse(text) !== null
  } catch {
    return false
  }
}
