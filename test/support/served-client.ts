import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { openClientOf } from '../../src/claude/anthropic-client.ts'
import { createClaudeClient } from '../../src/claude/claude-client.ts'
import { realClock } from './real-clock.ts'

/** Returns a client of a server that sends the response most recently passed to `serve`. */
export async function createServedClient() {
  let respond = (_response: ServerResponse) => {}
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => respond(response))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const client = await createClaudeClient({
    clock: realClock,
    env: {},
    connectTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    settingNames: { idleTimeout: '--idle-timeout', allowHttp: '--allow-http' },
    totalTimeoutMs: 60_000,
    openSdkClient: openClientOf({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      key: 'test',
    }),
  })
  onTestFinished(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  const serve = (status: number, type: string, body: string) => {
    respond = (response) => void response.writeHead(status, { 'content-type': type }).end(body)
  }
  return { client, serve }
}
