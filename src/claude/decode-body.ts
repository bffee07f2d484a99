import { pipeline, Readable, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import { AskError } from '../core/errors/ask-error.ts'

/**
 * Returns the decoded body of a response. Requests ask for no compression, but some servers compress anyway,
 * and a paid answer must not be lost for that. An unknown encoding becomes an error of the body.
 * @param encodings the value of the `content-encoding` header, which lists encodings in the order they were
 * applied
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.content-encoding
 */
export function decodeBody(body: Readable, encodings: string | null): Readable {
  const names = (encodings ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  if (names.length === 0) return body
  const decoders = names.reverse().map((name) => decoderFactories.get(name)?.())
  const known = decoders.filter((decoder) => decoder !== undefined)
  if (known.length < decoders.length || decoders.length > maxEncodings) {
    // The error appears only when the body is read: the status of an error response is useful without its
    // body.
    body.on('error', () => {}).destroy()
    return Readable.from(failOnRead(encodings ?? ''))
  }
  const streams: [Readable, ...Transform[]] = [body, ...known]
  // An error of any stream also ends the last one, which the caller reads.
  pipeline(streams, () => {})
  return known.at(-1) ?? body
}

/**
 * Maximum number of encodings of one body. No legitimate server applies more; an attacker could use more to
 * waste CPU time.
 */
const maxEncodings = 3

const decoderFactories: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['br', createBrotliDecompress],
  ['deflate', createAnyInflate],
])

/**
 * Returns a decoder for `deflate`. Some servers leave out the zlib header that the standard requires; the
 * first byte shows whether it is there.
 */
function createAnyInflate(): Transform {
  let inflate: Transform | undefined
  const outer = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      inflate ??= connectToOuter(((chunk[0] ?? 0) & 0x0f) === 8 ? createInflate() : createInflateRaw())
      inflate.write(chunk, done)
    },
    flush(done) {
      if (inflate === undefined) return done()
      inflate.once('end', done).end()
    },
    destroy(error, done) {
      inflate?.destroy()
      done(error)
    },
  })
  const connectToOuter = (inner: Transform) =>
    inner.on('data', (piece) => outer.push(piece)).on('error', (error) => outer.destroy(error))
  return outer
}

// biome-ignore lint/correctness/useYield: it only fails, once it is read
async function* failOnRead(encodings: string): AsyncGenerator<never> {
  throw new AskError({
    kind: 'malformed',
    type: 'unknown_encoding',
    message: `the response is encoded as ${JSON.stringify(encodings.slice(0, 100))}, which claude-batch cannot decode`,
  })
}
