import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Behaviour } from '../../src/simulator/script.ts'

/** Formats an event of a Messages API stream. */
export function formatEvent(fields: { readonly type: string; readonly [name: string]: unknown }): string {
  return `event: ${fields.type}\ndata: ${JSON.stringify(fields)}\n\n`
}

export const start = formatEvent({
  type: 'message_start',
  message: { model: 'claude-haiku-5-5', usage: { input_tokens: 9, output_tokens: 1 } },
})

export function textDelta(text: string): string {
  return formatEvent({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })
}

export const end =
  formatEvent({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }) +
  formatEvent({ type: 'message_stop' })

export const overloaded = formatEvent({
  type: 'error',
  error: { type: 'overloaded_error', message: 'Overloaded' },
})

export interface HeldAnswer {
  readonly behaviour: Behaviour
  /** Sends these events after the request has arrived; `end` and `overloaded` end the answer. */
  send(events: string): Promise<void>
  /** Resolves when the client has closed the connection. */
  readonly clientClosed: Promise<unknown>
}

/** Creates a streamed answer whose events the test sends. */
export function createHeldAnswer(): HeldAnswer {
  let arrived = (_response: ServerResponse) => {}
  const response = new Promise<ServerResponse>((resolve) => {
    arrived = resolve
  })
  return {
    behaviour: {
      kind: 'by-hand',
      async respond(response) {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(start)
        arrived(response)
        await once(response, 'close')
      },
    },
    async send(events) {
      const open = await response
      open.write(events)
      if (events.endsWith(end) || events.endsWith(overloaded)) open.end()
    },
    clientClosed: response.then((open) => once(open, 'close')),
  }
}
