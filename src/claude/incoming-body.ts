import { pipeline, Readable, Transform } from 'node:stream'

/** How many bytes are kept before undici stops reading from the connection. */
const maxBufferedBytes = 256 * 1024

/** The body of a response, while it arrives. A stream costs more CPU time than a short reply itself. */
export class IncomingBody {
  /** Lets undici continue after `add` has returned false. */
  resume = () => {}
  hasEnded = false
  readonly #onCancel: (reason: unknown) => void
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  #isPaused = false
  #error: Error | undefined
  #onProgress = () => {}

  /** @param onCancel ends the request, whose body is not needed */
  constructor(onCancel: (reason: unknown) => void) {
    this.#onCancel = onCancel
  }

  /** Adds the next chunk. @returns false if undici must wait for `resume` */
  add(chunk: Buffer): boolean {
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    this.#isPaused = this.#bufferedBytes > maxBufferedBytes
    this.#onProgress()
    return !this.#isPaused
  }

  /** Must be called after the last chunk. @param error why the body is incomplete */
  end(error?: Error): void {
    if (this.hasEnded) return
    this.hasEnded = true
    this.#error = error
    this.#onProgress()
  }

  /**
   * Reads the whole body as UTF-8, without a byte order mark.
   * @throws an error with undici's code if it is longer; the error of the connection
   */
  async readText(maxBytes: number): Promise<string> {
    const chunks: Buffer[] = []
    let length = 0
    for (;;) {
      const taken = this.#take()
      for (const chunk of taken) {
        chunks.push(chunk)
        length += chunk.length
      }
      if (length > maxBytes) {
        const error = createTooLongError(maxBytes)
        this.#onCancel(error)
        throw error
      }
      if (this.#error !== undefined) throw this.#error
      if (this.hasEnded) break
      await new Promise<void>((resolve) => {
        this.#onProgress = resolve
      })
    }
    const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
    const text = bytes.toString('utf8')
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
  }

  /** Returns the body as a stream. */
  toStream(): Readable {
    const push = () => {
      for (const chunk of this.#take()) stream.push(chunk)
      if (this.#error !== undefined) stream.destroy(this.#error)
      else if (this.hasEnded) stream.push(null)
    }
    const stream = new Readable({
      read: () => {
        this.#onProgress = push
        push()
      },
      destroy: (error, done) => {
        this.#onProgress = () => {}
        if (!this.hasEnded) this.#onCancel(error)
        done(error)
      },
    })
    return stream
  }

  #take(): Buffer[] {
    const chunks = this.#chunks
    if (chunks.length === 0) return chunks
    this.#chunks = []
    this.#bufferedBytes = 0
    if (this.#isPaused) {
      this.#isPaused = false
      this.resume()
    }
    return chunks
  }
}

/**
 * Limits the length of a body; a longer one ends with an error. A few compressed bytes may decode to any
 * length.
 */
export function limitBody(maxBytes: number, body: Readable): Readable {
  let length = 0
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length
      if (length <= maxBytes) return done(null, chunk)
      done(createTooLongError(maxBytes))
    },
  })
  pipeline(body, limiter, () => {})
  return limiter
}

function createTooLongError(maxBytes: number): Error {
  const error = new Error(`the body is longer than ${maxBytes} bytes`)
  return Object.assign(error, { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' })
}
