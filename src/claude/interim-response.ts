import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'

/**
 * Wraps a connector so that interim responses are passed over. A server may send `100 Continue` before any response,
 * though nothing asks for it. undici takes that for a broken server and drops the connection, and with it an answer
 * that was paid for.
 * @see https://www.rfc-editor.org/rfc/rfc9110#status.1xx
 */
export function withoutInterim(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result
      // The connector of a proxy passes an error alone.
      if (socket != null) skipInterim(socket)
      callback(...result)
    })
}

/** Changes what undici reads of a connection: at the beginning of each response, interim ones are left out. */
function skipInterim(socket: Socket): void {
  const { read, write } = socket
  let isBeginning = false
  let held: Buffer = Buffer.alloc(0)
  socket.write = function (this: Socket, ...args: unknown[]) {
    isBeginning = true
    return (write as (...args: unknown[]) => boolean).apply(this, args)
  } as Socket['write']
  socket.read = function (this: Socket, size?: number) {
    const chunk = read.call(this, size) as Buffer | null
    if (chunk === null || !isBeginning) return chunk
    held = Buffer.concat([held, chunk])
    for (let end = endOfInterim(held); end !== undefined; end = endOfInterim(held)) {
      if (end === 'later') return null
      held = held.subarray(end)
    }
    if (held.length === 0) return null
    const rest = held
    held = Buffer.alloc(0)
    isBeginning = false
    return rest
  }
}

/** The beginning of an interim response; 101 is not one that another response follows. */
const interim = /^HTTP\/1\.1 1(?!01)\d\d/

const shortest = 'HTTP/1.1 100'

/** Longer than the headers of any interim response. Bytes. */
const longestHead = 16_384

/** Where the interim response ends that the bytes begin with, if any; `later` where more bytes are needed to know. */
function endOfInterim(bytes: Buffer): number | 'later' | undefined {
  const beginning = bytes.toString('latin1', 0, shortest.length)
  const canBe = beginning.length < shortest.length ? shortest.startsWith(beginning) : interim.test(beginning)
  if (beginning === '' || !canBe) return undefined
  const end = bytes.indexOf('\r\n\r\n')
  if (end !== -1) return end + 4
  return bytes.length < longestHead ? 'later' : undefined
}
