import type { ServerResponse } from 'node:http'

/** Sends an object as JSON, with status 200. */
export function sendBody(
  response: ServerResponse,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, { ...headers, 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
