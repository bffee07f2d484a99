import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate as yieldToEventLoop } from 'node:timers/promises'

/**
 * Sends the lines of a batch's results. @param cut where the response ends early, and whether the connection
 * is reset there
 */
export async function sendBatchResults(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  lines: Iterable<string>,
  cut: { readonly cutAfter: number; readonly reset: boolean } | undefined,
): Promise<void> {
  response.writeHead(200, { ...headers, 'content-type': 'application/x-jsonl' })
  let n = 0
  for (const line of lines) {
    if (n++ === cut?.cutAfter) {
      if (!cut.reset) break
      response.write('{"custom_id":"to')
      await yieldToEventLoop()
      response.socket?.resetAndDestroy()
      return
    }
    if (!response.write(`${line}\n`)) await once(response, 'drain')
  }
  response.end()
}
