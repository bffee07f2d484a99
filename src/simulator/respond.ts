import type { ServerResponse } from 'node:http'
import type { Message } from './api-message.ts'

/** What ends an answer in the middle, if anything. */
export type Break = 'reset' | 'stall' | 'truncate' | { readonly error: string }

interface Delivery {
  readonly headers: Readonly<Record<string, string>>
  /** Over how long the text is spread: milliseconds. */
  readonly overMs: number
  readonly broken?: Break
  /** Resolves after so many milliseconds; rejects when the client has hung up. */
  readonly wait: (ms: number) => Promise<void>
}

/** Sends a message whole, as JSON, after its time. */
export async function sendJson(
  response: ServerResponse,
  message: Message,
  { headers, overMs, broken, wait }: Delivery,
): Promise<void> {
  if (broken !== 'stall') await wait(overMs)
  const body = JSON.stringify(message)
  response.writeHead(200, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  if (broken === undefined) {
    response.end(body)
    return
  }
  if (broken === 'stall') response.flushHeaders()
  else await written(response, body.slice(0, body.length / 2))
  // Fewer bytes than were announced: ending in good order would only leave the client waiting for the rest.
  if (broken === 'truncate') response.destroy()
  else await cut(response, broken, wait)
}

/** Sends a message as server-sent events, its text word by word. @see https://platform.claude.com/docs/en/build-with-claude/streaming */
export async function sendStream(
  response: ServerResponse,
  message: Message,
  { headers, overMs, broken, wait }: Delivery,
): Promise<void> {
  const event = (type: string, data: Record<string, unknown>) =>
    written(response, `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
  const usage = message.usage as Record<string, unknown> | undefined
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  })
  response.flushHeaders()
  if (broken === 'stall') return cut(response, broken, wait)

  const start = {
    ...message,
    content: [],
    stop_reason: null,
    ...(usage && { usage: { ...usage, output_tokens: 1 } }),
  }
  await event('message_start', { message: start })
  await event('ping', {})
  for (const [index, block] of message.content.entries()) {
    const { type, text } = block as { type: string; text?: string }
    await event('content_block_start', {
      index,
      content_block: type === 'text' ? { ...(block as object), text: '' } : block,
    })
    const pieces = type === 'text' ? ((text ?? '').match(/\S+\s*|\s+/g) ?? []) : []
    const until = broken === undefined ? pieces.length : Math.ceil(pieces.length / 2)
    // A few steps are enough to see that it streams; a timer for every word would cost more than the work.
    const steps = Math.min(12, Math.max(1, until))
    for (let step = 0; step < steps; step++) {
      await wait(overMs / steps)
      const part = pieces
        .slice(Math.floor((step * until) / steps), Math.floor(((step + 1) * until) / steps))
        .join('')
      if (part !== '')
        await event('content_block_delta', { index, delta: { type: 'text_delta', text: part } })
    }
    if (broken !== undefined) return cut(response, broken, wait)
    await event('content_block_stop', { index })
  }
  if (message.content.length === 0) await wait(overMs)
  const delta = { stop_reason: message.stop_reason, stop_sequence: null, stop_details: message.stop_details }
  await event('message_delta', { delta, ...(usage && { usage }) })
  await event('message_stop', {})
  response.end()
}

async function cut(response: ServerResponse, broken: Break, wait: Delivery['wait']): Promise<void> {
  if (broken === 'stall') await wait(Number.POSITIVE_INFINITY)
  else if (broken === 'reset') response.socket?.resetAndDestroy()
  else if (broken === 'truncate') response.end()
  else {
    const error = { type: 'error', error: { type: broken.error, message: 'Overloaded' } }
    response.end(`event: error\ndata: ${JSON.stringify(error)}\n\n`)
  }
}

/** Resolves once the system has taken it, so that a cut comes after what went before. */
function written(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
