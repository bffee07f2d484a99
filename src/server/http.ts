import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { RunError } from '../errors.ts'

export interface Listening {
  readonly url: string
  /** Lets go of the port, and of connections on which nothing is under way; resolves when all are closed. */
  close(): Promise<void>
  /** Cuts what is left. */
  cut(): void
}

/** More would be more than the queue of any sensible set-up holds. */
const mostConnections = 2000

/** @throws RunError `io` where the port cannot be had */
export async function listen(app: Hono, { host, port }: { host: string; port: number }): Promise<Listening> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2000 },
  }) as Server
  // Ends whoever neither sends nor reads; a stream shows life more often than that.
  server.setTimeout(60_000)
  server.maxConnections = mostConnections
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch((error: NodeJS.ErrnoException) => {
    throw new RunError(
      'io',
      `cannot listen on ${host} port ${port}: ${reasons[error.code ?? ''] ?? error.message}`,
    )
  })
  const { address, family, port: own } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${own}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
    cut: () => server.closeAllConnections(),
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use; choose another with --port',
  EACCES: 'it may not be used; choose one above 1023',
  EADDRNOTAVAIL: 'this machine has no such address; give one of its own with --host',
  ENOTFOUND: 'there is no such host; give an address of this machine with --host',
}
