/** What an S/MIME attachment (`smime.p7m`) holds. */
export type SecuredContent =
  | { readonly type: 'signed'; readonly content: Buffer }
  | { readonly type: 'encrypted' }
  | { readonly type: 'other' }

/**
 * Returns what an S/MIME attachment holds: the content of a signed message can be read without checking the
 * signature. The attachment is a CMS structure in BER.
 * @see https://www.rfc-editor.org/rfc/rfc5652
 */
export function readSecuredContent(bytes: Buffer): SecuredContent {
  try {
    return readContentInfo(bytes)
  } catch (error) {
    if (error instanceof RangeError) return { type: 'other' }
    throw error
  }
}

function readContentInfo(bytes: Buffer): SecuredContent {
  const typeAt = readElement(bytes, 0).start
  const type = readElement(bytes, typeAt)
  const typeName = bytes.toString('hex', type.start, type.end ?? type.start)
  if (encryptedTypes.has(typeName)) return { type: 'encrypted' }
  if (typeName !== signedType) return { type: 'other' }
  const signedData = readElement(bytes, readElement(bytes, skipElement(bytes, typeAt)).start)
  // Before the content come the version and the digest algorithms.
  const contentAt = skipElement(bytes, skipElement(bytes, signedData.start))
  const contentTypeAt = readElement(bytes, contentAt).start
  const content = readElement(bytes, skipElement(bytes, contentTypeAt))
  if (content.tag !== contextTag) return { type: 'other' }
  const parts: Buffer[] = []
  collectOctets(bytes, content.start, parts)
  return { type: 'signed', content: Buffer.concat(parts) }
}

/** Object identifiers as hexadecimal. */
const signedType = '2a864886f70d010702'
const encryptedTypes: ReadonlySet<string> = new Set([
  '2a864886f70d010703', // enveloped data
  '2a864886f70d010706', // encrypted data
  '2a864886f70d0109100117', // authenticated enveloped data
])

const contextTag = 0xa0
const constructedOctets = 0x24

interface Element {
  readonly tag: number
  /** Where its content begins. */
  readonly start: number
  /** Where its content ends; undefined if two zero bytes end it. */
  readonly end: number | undefined
}

/** @throws RangeError beyond the end of the bytes */
function readElement(bytes: Buffer, at: number): Element {
  const tag = bytes.readUInt8(at)
  const length = bytes.readUInt8(at + 1)
  if (length < 0x80) return checkEnd(bytes, { tag, start: at + 2, end: at + 2 + length })
  const lengthBytes = length & 0x7f
  const start = at + 2 + lengthBytes
  if (lengthBytes === 0) return { tag, start, end: undefined }
  return checkEnd(bytes, { tag, start, end: start + bytes.readUIntBE(at + 2, lengthBytes) })
}

function checkEnd(bytes: Buffer, element: Element): Element {
  if ((element.end ?? 0) > bytes.length) throw new RangeError('the element is cut off')
  return element
}

/** Returns where the element after this one begins. */
function skipElement(bytes: Buffer, at: number, depth = 0): number {
  const { start, end } = readElement(bytes, at)
  if (end !== undefined) return end
  if (depth > maxDepth) throw new RangeError('elements are nested too deep')
  let next = start
  while (!isEndMark(bytes, next)) next = skipElement(bytes, next, depth + 1)
  return next + 2
}

const maxDepth = 32

function isEndMark(bytes: Buffer, at: number): boolean {
  return bytes.readUInt8(at) === 0 && bytes.readUInt8(at + 1) === 0
}

/** Collects an octet string, which may consist of several. @returns where the next element begins */
function collectOctets(bytes: Buffer, at: number, parts: Buffer[], depth = 0): number {
  const { tag, start, end } = readElement(bytes, at)
  if (tag !== constructedOctets && end !== undefined) {
    parts.push(bytes.subarray(start, end))
    return end
  }
  if (depth > maxDepth) throw new RangeError('elements are nested too deep')
  let next = start
  while (end === undefined ? !isEndMark(bytes, next) : next < end)
    next = collectOctets(bytes, next, parts, depth + 1)
  return end ?? next + 2
}
