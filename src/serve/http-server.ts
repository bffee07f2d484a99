import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { ExitError } from '../errors.ts'

export interface RunningServer {
  readonly url: string
  /** Lets go of the port, and of connections on which nothing is under way; resolves when all are closed. */
  close(): Promise<void>
  /** Cuts what is left. */
  closeAllConnections(): void
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  /** How long a request's headers, and all of it, may take to come, and how long nothing at all may happen: ms. */
  readonly timeouts?: { readonly headersMs: number; readonly requestMs: number; readonly idleMs: number }
  readonly maxConnections?: number
}

/** The idle time is well above the time between two signs of life in a stream. */
const defaultTimeouts = { headersMs: 10_000, requestMs: 30_000, idleMs: 60_000 }

/** @throws ExitError `ioError` where the port cannot be had */
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
  /** Connections that brought no request yet, as browsers make them; Node does not count them as idle. */
  const unusedSockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    unusedSockets.add(socket)
    socket.on('close', () => unusedSockets.delete(socket))
  })
  server.on('request', ({ socket }, response) => {
    unusedSockets.delete(socket)
    // A client keeps its connection for another request, which would not be answered any more.
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
  EADDRINUSE: 'it is in use; choose another with --port',
  EACCES: 'it may not be used; choose one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address; give one of its addresses with --host',
  ENOTFOUND: 'there is no such host; give an address of this machine with --host',
}
