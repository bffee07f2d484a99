import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { startService } from './run-cli.ts'

/** A response of the gateway itself. */
interface GatewayAnswer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Starts a gateway in front of a simulator.
 * @param answer returns the gateway's own answer to a request and its body; undefined to pass the request on
 * @returns the environment variable that makes the program use the gateway
 */
export async function startGateway(
  answer: (incoming: IncomingMessage, body: string) => GatewayAnswer | undefined,
): Promise<{ env: { ANTHROPIC_BASE_URL: string }; simulator: Simulator }> {
  const { simulator } = await startService({})
  const respond = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = await text(incoming)
    const own = answer(incoming, body)
    if (own !== undefined) {
      outgoing.writeHead(own.status, { 'content-type': 'application/json', ...own.headers }).end(own.body)
      return
    }
    const { method = 'GET', url = '/', headers } = incoming
    const sent = { ...headers, 'x-api-key': 'any' }
    const onward = request(new URL(url, simulator.url), { method, headers: sent }, (response) => {
      outgoing.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(outgoing)
    })
    onward.end(body)
  }
  const server = createServer((incoming, outgoing) => {
    // The client has hung up.
    respond(incoming, outgoing).catch(() => outgoing.destroy())
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return {
    env: { ANTHROPIC_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    simulator,
  }
}
