import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { ExitError } from '../errors.ts'

export interface RunningServer {
  readonly url: string
  /** Closes the port and all idle connections; resolves when every connection is closed. */
  close(): Promise<void>
  /** Closes the remaining connections immediately. */
  closeAllConnections(): void
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /**
   * Time limits for a request's headers, for the whole request, and for a connection without traffic, in
   * milliseconds.
   */
  readonly timeouts?: { readonly headersMs: number; readonly requestMs: number; readonly idleMs: number }
  readonly maxConnections?: number
}

/** The idle timeout is well above the time between two heartbeats of a stream. */
const defaultTimeouts = { headersMs: 10_000, requestMs: 30_000, idleMs: 60_000 }

/** Starts the server. @throws ExitError `ioError` if it cannot listen on the port */
export async function listen(
  { fetch }: Pick<Hono, 'fetch'>,
  { host, port, timeouts = defaultTimeouts, maxConnections = 2000 }: ListenOptions,
): Promise<RunningServer> {
  const server = createAdaptorServer({
    fetch,
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.headersMs / 5,
    },
  }) as Server
  server.setTimeout(timeouts.idleMs)
  server.maxConnections = maxConnections
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch((error: NodeJS.ErrnoException) => {
    throw new ExitError(
      'ioError',
      `cannot listen on ${host} port ${port}: ${errorMessages[error.code ?? ''] ?? error.message}`,
    )
  })
  let isClosing = false
  /**
   * Connections without a request so far, as browsers open them in advance; Node does not count these as
   * idle.
   */
  const unusedSockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    unusedSockets.add(socket)
    socket.on('close', () => unusedSockets.delete(socket))
  })
  server.on('request', ({ socket }, response) => {
    unusedSockets.delete(socket)
    // A client keeps its connection open for another request, but a closing server would not answer that.
    response.on('close', () => isClosing && setImmediate(() => server.closeIdleConnections()))
  })
  const { address, family, port: actualPort } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${actualPort}`,
    close: () =>
      new Promise((resolve) => {
        isClosing = true
        for (const socket of unusedSockets) socket.destroy()
        server.close(() => resolve())
      }),
    closeAllConnections: () => server.closeAllConnections(),
  }
}

const errorMessages: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; choose another with --port',
  EACCES: 'permission denied; choose a port above 1023',
  EADDRNOTAVAIL: 'this machine does not have that address; give one of its addresses with --host',
  ENOTFOUND: 'the host name is unknown; give an address of this machine with --host',
}
