import type { Problem } from './http-problem.ts'

/** The parts of a request that are needed to read its body. */
export interface BodySource {
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly contentLength: string | undefined
  readonly body: AsyncIterable<Uint8Array> | null
}

/**
 * Returns the body of a request as text, or a problem. Only JSON in UTF-8 is accepted: text in another
 * encoding would be garbled but still billed. A client that disconnects while sending is not logged.
 */
export async function readJsonBody(source: BodySource): Promise<string | Problem> {
  const { contentLength = '0', body } = source
  const problem = checkContentType(source)
  if (problem !== undefined) return problem
  if (Number(contentLength) > maxBodyBytes) return tooLarge
  const bytes = await readBytes(body ?? [])
  if (!Buffer.isBuffer(bytes)) return bytes
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return invalidUtf8
  }
}

function checkContentType({
  contentType = '',
  contentEncoding = 'identity',
}: Pick<BodySource, 'contentType' | 'contentEncoding'>): Problem | undefined {
  const [type, ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase())
  if (type !== 'application/json') return notJson
  const charsets = parameters.filter((parameter) => parameter.startsWith('charset'))
  if (!charsets.every((charset) => /^charset *= *("utf-?8"|utf-?8)$/.test(charset))) return notUtf8
  return contentEncoding.trim().toLowerCase() === 'identity' ? undefined : encodedBody
}

async function readBytes(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer | Problem> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.length
      if (size > maxBodyBytes) return tooLarge
      chunks.push(chunk)
    }
  } catch {
    return incompleteBody
  }
  return Buffer.concat(chunks)
}

/** Bytes. About the number of characters that fit into the largest context window of a model. */
const maxBodyBytes = 4_000_000

const tooLarge: Problem = {
  status: 413,
  type: 'too_large',
  message: `a request may have at most ${maxBodyBytes} bytes; split the text`,
}
const notJson: Problem = {
  status: 415,
  type: 'unsupported_media_type',
  message: 'send JSON with the header Content-Type: application/json',
}
const notUtf8: Problem = {
  status: 415,
  type: 'not_utf8',
  message: 'send JSON in UTF-8; other charsets are not accepted',
}
const encodedBody: Problem = {
  status: 415,
  type: 'unsupported_encoding',
  message: 'send the body without Content-Encoding',
}
const invalidUtf8: Problem = { status: 400, type: 'invalid_request', message: 'the body is not valid UTF-8' }
/** The client disconnected or took too long, so it will rarely receive this message. */
const incompleteBody: Problem = {
  status: 400,
  type: 'invalid_request',
  message: 'the body is incomplete',
}
