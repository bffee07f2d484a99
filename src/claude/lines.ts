import { AskError } from '../core/failure.ts'

/**
 * The lines of a body as it comes in; a last one without its end is torn, and is left out.
 * @param longest characters
 * @throws AskError `malformed` where a line is longer, or the last one is torn; whatever reading throws
 */
export async function* linesOf(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  longest: number,
): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let pieces: string[] = []
  let length = 0
  for await (const chunk of body) {
    const [first = '', ...more] = decoder.decode(chunk, { stream: true }).split('\n')
    pieces.push(first)
    length += first.length
    for (const next of more) {
      const line = pieces.join('')
      if (line !== '') yield line
      pieces = [next]
      length = next.length
    }
    if (length > longest) throw torn('a line of the results is far longer than any answer')
  }
  if (pieces.join('').trim() !== '') throw torn('the results broke off in the middle of a line')
}

function torn(message: string): AskError {
  return new AskError({ kind: 'malformed', type: 'malformed_reply', message })
}
