import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { openClientOf } from '../../src/claude/anthropic-client.ts'
import { type ClaudeClient, createClaudeClient } from '../../src/claude/claude-client.ts'
import { realClock } from './real-clock.ts'

/** Returns a client of the server on a port of this machine. The end of the test closes it. */
export async function createClientOf(port: number): Promise<ClaudeClient> {
  const client = await createClaudeClient({
    clock: realClock,
    env: {},
    connectTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    settingNames: { idleTimeout: '--idle-timeout', allowHttp: '--allow-http' },
    totalTimeoutMs: 60_000,
    openSdkClient: openClientOf({ url: `http://127.0.0.1:${port}`, key: 'test' }),
  })
  onTestFinished(() => client.close())
  return client
}

/** Returns a client of a server that answers each request, once it has read it, with `respond`. */
export async function createClientServedBy(respond: RequestListener): Promise<ClaudeClient> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => respond(request, response))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return createClientOf((server.address() as AddressInfo).port)
}

/** Returns a client of a server that sends the response most recently passed to `serve`. */
export async function createServedClient() {
  let respond = (_response: ServerResponse) => {}
  const client = await createClientServedBy((_request, response) => respond(response))
  const serve = (status: number, type: string, body: string) => {
    respond = (response) => void response.writeHead(status, { 'content-type': type }).end(body)
  }
  return { client, serve }
}
