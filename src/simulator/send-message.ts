import type { ServerResponse } from 'node:http'
import type { Message } from './api-message.ts'

/** The fault that ends an answer early. */
export type Interruption = 'reset' | 'stall' | 'truncate' | { readonly error: string }

interface Delivery {
  readonly headers: Readonly<Record<string, string>>
  /** The time over which the text is sent, in milliseconds. */
  readonly durationMs: number
  readonly interruption?: Interruption
  /** Resolves after `ms` milliseconds; rejects if the client has hung up. */
  readonly wait: (ms: number) => Promise<void>
}

/** Sends a complete message as JSON, after its duration. */
export async function sendJson(
  response: ServerResponse,
  message: Message,
  { headers, durationMs, interruption, wait }: Delivery,
): Promise<void> {
  if (interruption !== 'stall') await wait(durationMs)
  const body = JSON.stringify(message)
  response.writeHead(200, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  })
  if (interruption === undefined) {
    response.end(body)
    return
  }
  if (interruption === 'stall') response.flushHeaders()
  else await writeChunk(response, body.slice(0, body.length / 2))
  // The body is shorter than its `content-length`. A normal end would leave the client waiting for the rest.
  if (interruption === 'truncate') response.destroy()
  else await interrupt(response, interruption, wait)
}

/**
 * Sends a message as server-sent events, word by word.
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export async function sendStream(
  response: ServerResponse,
  message: Message,
  { headers, durationMs, interruption, wait }: Delivery,
): Promise<void> {
  const sendEvent = (type: string, data: Record<string, unknown>) =>
    writeChunk(response, `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
  const usage = message.usage as Record<string, unknown> | undefined
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  })
  response.flushHeaders()
  if (interruption === 'stall') return interrupt(response, interruption, wait)

  const start = {
    ...message,
    content: [],
    stop_reason: null,
    ...(usage && { usage: { ...usage, output_tokens: 1 } }),
  }
  await sendEvent('message_start', { message: start })
  await sendEvent('ping', {})
  for (const [index, block] of message.content.entries()) {
    const { type, text, citations } = block as { type: string; text?: string; citations?: unknown }
    await sendEvent('content_block_start', {
      index,
      content_block: type === 'text' ? { ...(block as object), text: '', citations: citations && [] } : block,
    })
    for (const citation of Array.isArray(citations) ? citations : [])
      await sendEvent('content_block_delta', { index, delta: { type: 'citations_delta', citation } })
    const pieces = type === 'text' ? ((text ?? '').match(/\S+\s*|\s+/g) ?? []) : []
    const pieceCount = interruption === undefined ? pieces.length : Math.ceil(pieces.length / 2)
    // A few steps are enough to test streaming. A timer for every word would cost more CPU time than the
    // rest.
    const steps = Math.min(12, Math.max(1, pieceCount))
    for (let step = 0; step < steps; step++) {
      await wait(durationMs / steps)
      const part = pieces
        .slice(Math.floor((step * pieceCount) / steps), Math.floor(((step + 1) * pieceCount) / steps))
        .join('')
      if (part !== '')
        await sendEvent('content_block_delta', { index, delta: { type: 'text_delta', text: part } })
    }
    if (interruption !== undefined) return interrupt(response, interruption, wait)
    await sendEvent('content_block_stop', { index })
  }
  if (message.content.length === 0) await wait(durationMs)
  const delta = { stop_reason: message.stop_reason, stop_sequence: null, stop_details: message.stop_details }
  await sendEvent('message_delta', { delta, ...(usage && { usage }) })
  await sendEvent('message_stop', {})
  response.end()
}

async function interrupt(
  response: ServerResponse,
  interruption: Interruption,
  wait: Delivery['wait'],
): Promise<void> {
  if (interruption === 'stall') await wait(Number.POSITIVE_INFINITY)
  else if (interruption === 'reset') response.socket?.resetAndDestroy()
  else if (interruption === 'truncate') response.end()
  else {
    const error = { type: 'error', error: { type: interruption.error, message: 'Overloaded' } }
    response.end(`event: error\ndata: ${JSON.stringify(error)}\n\n`)
  }
}

/** Writes a chunk. Resolves when the system has accepted it, so that a later reset does not overtake it. */
function writeChunk(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
