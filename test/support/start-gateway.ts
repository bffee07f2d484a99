import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
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
 * @param answer returns the gateway's own answer to a request; undefined to pass the request on
 * @returns the environment variable that makes the program use the gateway
 */
export async function startGateway(
  answer: (incoming: IncomingMessage) => GatewayAnswer | undefined,
): Promise<{ env: { ANTHROPIC_BASE_URL: string }; simulator: Simulator }> {
  const { simulator } = await startService({})
  const server = createServer((incoming, outgoing) => {
    const own = answer(incoming)
    if (own !== undefined) {
      incoming.resume()
      outgoing.writeHead(own.status, { 'content-type': 'application/json', ...own.headers }).end(own.body)
      return
    }
    const { method = 'GET', url = '/', headers } = incoming
    const sent = { ...headers, 'x-api-key': 'any' }
    const onward = request(new URL(url, simulator.url), { method, headers: sent }, (response) => {
      outgoing.writeHead(response.statusCode ?? 500, response.headers)
      response.pipe(outgoing)
    })
    incoming.pipe(onward)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => void server.close())
  return {
    env: { ANTHROPIC_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    simulator,
  }
}
