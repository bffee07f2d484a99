import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'

/**
 * Wraps a connector so that interim responses are passed over. A server may send `100 Continue` before any response,
 * though nothing asks for it. undici takes that for a broken server and drops the connection, and with it an answer
 * that was paid for.
 * @see https://www.rfc-editor.org/rfc/rfc9110#status.1xx
 */
export function withoutInterimResponses(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result
      // The connector of a proxy passes an error alone.
      if (socket != null) skipInterimResponses(socket)
      callback(...result)
    })
}

/** Changes what undici reads of a connection: at the beginning of each response, interim ones are left out. */
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
    pendingBytes = Buffer.concat([pendingBytes, chunk])
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

/** The beginning of an interim response; 101 is not one that another response follows. */
const interimPattern = /^HTTP\/1\.1 1(?!01)\d\d/

const shortestStatusLine = 'HTTP/1.1 100'

/** Longer than the headers of any interim response. Bytes. */
const maxHeadBytes = 16_384

/** Where the interim response ends that the bytes begin with, if any; `later` where more bytes are needed to know. */
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
