/** A body that is not what it should be: what is wrong with it. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
}

const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c]
const [open, close, openList, closeList] = [0x7b, 0x7d, 0x5b, 0x5d]

/**
 * The elements of `{"requests": [ {…}, {…} ]}`, each as its own bytes, as they come in: a body of 256 MB is never in
 * memory as a whole.
 * @throws BodyError
 */
export async function* requestsIn(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let depth = 0
  let [inString, escaped, seen, ended] = [false, false, false, false]
  /** At depth 1: what was last read as a key, while it is read. */
  let key = ''
  let element: Buffer[] = []
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let from = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) inString = false
        else if (depth === 1) key += String.fromCharCode(byte)
        continue
      }
      if (isSpace(byte)) continue
      if (ended) throw new BodyError('there is more after the end')
      switch (byte) {
        case quote:
          if (depth === 0 || depth === 2) throw new BodyError(where(depth))
          inString = true
          if (depth === 1) key = ''
          break
        case open:
        case openList:
          if (depth === 0 && byte === openList) throw new BodyError(where(0))
          if (depth === 1) {
            if (key !== 'requests') throw new BodyError(`${key}: Extra inputs are not permitted`)
            if (byte !== openList || seen) throw new BodyError('requests: Input should be a list')
            seen = true
          }
          if (depth === 2) {
            if (byte !== open) throw new BodyError(where(2))
            from = at
          }
          depth++
          break
        case close:
        case closeList:
          depth--
          if (depth < 0) throw new BodyError(where(0))
          if (depth === 0) ended = true
          if (depth === 2) {
            yield Buffer.concat([...element, bytes.subarray(from, at + 1)])
            element = []
          }
          break
        case comma:
        case colon:
          break
        default:
          if (depth < 3)
            throw new BodyError(depth === 1 ? `${key}: Extra inputs are not permitted` : where(depth))
      }
    }
    if (depth > 2) element.push(bytes.subarray(from))
  }
  if (!ended) throw new BodyError('the body ends in the middle')
  if (!seen) throw new BodyError('requests: Field required')
}

function where(depth: number): string {
  return depth === 2 ? 'requests: Input should be a list of objects' : 'the request body is not a JSON object'
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
