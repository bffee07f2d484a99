/** An invalid batch body. The message says what is wrong. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
}

const [quote, backslash] = [0x22, 0x5c]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

/**
 * Yields the elements of `{"requests": [ {…}, {…} ]}` as bytes, as they arrive, so that a body of 256 MB is
 * never in memory as a whole. The JSON around the elements is checked at the end.
 * @throws BodyError
 */
export async function* splitRequests(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let depth = 0
  let [inString, escaped] = [false, false]
  let element: Buffer[] = []
  /** The body with a 0 in place of each element. */
  const envelope: Buffer[] = []
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let from = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) inString = false
      } else if (byte === quote) inString = true
      else if (byte === openBrace || byte === openBracket) {
        if (depth === 2) {
          envelope.push(bytes.subarray(from, at), placeholder)
          from = at
        }
        depth++
      } else if (byte === closeBrace || byte === closeBracket) {
        depth--
        if (depth !== 2) continue
        yield Buffer.concat([...element, bytes.subarray(from, at + 1)])
        element = []
        from = at + 1
      }
    }
    const rest = bytes.subarray(from)
    if (depth > 2) element.push(rest)
    // Copied, because a slice would keep the whole chunk in memory.
    else envelope.push(Buffer.from(rest))
  }
  checkEnvelope(Buffer.concat(envelope).toString('utf8'))
}

const placeholder = Buffer.from('0')

function checkEnvelope(envelope: string): void {
  let shape: unknown
  try {
    shape = JSON.parse(envelope)
  } catch (error) {
    throw new BodyError(`the request body is not JSON: ${(error as Error).message.slice(0, 100)}`)
  }
  if (typeof shape !== 'object' || shape === null || Array.isArray(shape))
    throw new BodyError('the request body is not a JSON object')
  const { requests, ...others } = shape as Record<string, unknown>
  const [extra] = Object.keys(others)
  if (extra !== undefined) throw new BodyError(`${extra}: Extra inputs are not permitted`)
  if (!Array.isArray(requests) || requests.some((element) => element !== 0))
    throw new BodyError('requests: Input should be a list of objects')
}
