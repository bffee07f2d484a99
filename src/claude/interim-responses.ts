import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'

/**
 * Wraps a connector so that interim responses are skipped. A server may send `100 Continue` before any
 * response, even if the request did not ask for it. undici treats it as a protocol error and closes the
 * connection, which would lose a paid answer.
 * @see https://www.rfc-editor.org/rfc/rfc9110#status.1xx
 */
export function withoutInterimResponses(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result
      // A proxy's connector calls back with only an error.
      if (socket != null) skipInterimResponses(socket)
      callback(...result)
    })
}

/** Patches a socket so that undici does not see interim responses at the beginning of a response. */
function skipInterimResponses(socket: Socket): void {
  const { read, write } = socket
  let isAtResponseStart = false
  let pendingBytes: Buffer = Buffer.alloc(0)
  socket.write = function (this: Socket, ...args: unknown[]) {
    isAtResponseStart = true
    return (write as (...args: unknown[]) => boolean).apply(this, args)
  } as Socket['write']
  socket.read = function (this: Socket, size?: number) {
    const chunk = read.call(this, size) as Buffer | null
    if (chunk === null || !isAtResponseStart) return chunk
    pendingBytes = pendingBytes.length === 0 ? chunk : Buffer.concat([pendingBytes, chunk])
    for (let end = findInterimEnd(pendingBytes); end !== undefined; end = findInterimEnd(pendingBytes)) {
      if (end === 'later') return null
      pendingBytes = pendingBytes.subarray(end)
    }
    if (pendingBytes.length === 0) return null
    const rest = pendingBytes
    pendingBytes = Buffer.alloc(0)
    isAtResponseStart = false
    return rest
  }
}

/** Matches the beginning of an interim response. No other response follows a 101, so it is not matched. */
const interimPattern = /^HTTP\/1\.1 1(?!01)\d\d/

const shortestStatusLine = 'HTTP/1.1 100'

/** Bytes; longer than the headers of any interim response. */
const maxHeadBytes = 16_384

/**
 * Returns the end of the interim response that the bytes begin with, or undefined if they begin with another
 * response. Returns `later` if more bytes are needed to decide.
 */
function findInterimEnd(bytes: Buffer): number | 'later' | undefined {
  const prefix = bytes.toString('latin1', 0, shortestStatusLine.length)
  const mayBeInterim =
    prefix.length < shortestStatusLine.length
      ? shortestStatusLine.startsWith(prefix)
      : interimPattern.test(prefix)
  if (prefix === '' || !mayBeInterim) return undefined
  const end = bytes.indexOf('\r\n\r\n')
  if (end !== -1) return end + 4
  return bytes.length < maxHeadBytes ? 'later' : undefined
}
