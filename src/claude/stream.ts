import type { APIPromise } from '@anthropic-ai/sdk'
import type { Watch } from '../core/ask.ts'
import { AskError } from '../core/failure.ts'
import type { Reply } from '../core/reply.ts'
import { loneSurrogates, replyFrom } from './message.ts'

/** An event of the stream, as far as it is believed. */
interface Event {
  readonly type?: unknown
  readonly message?: Record<string, unknown>
  readonly delta?: {
    readonly type?: unknown
    readonly text?: unknown
    readonly stop_reason?: unknown
    readonly stop_details?: unknown
  }
  readonly usage?: Record<string, unknown>
}

/**
 * The reply of a streamed request, put together here: the SDK's iterator ends without complaint where the connection
 * was closed early, so only `message_stop` after a stop reason makes a reply. Unknown events are ignored.
 * @param elapsed milliseconds since sending
 * @param watch told of the text as it comes
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export async function streamReply(
  promise: APIPromise<unknown>,
  elapsed: () => number,
  watch: Watch = () => {},
): Promise<Reply> {
  const { data, response } = await promise.withResponse()
  const message: Record<string, unknown> = { type: 'message', content: [] }
  const usage: Record<string, unknown> = {}
  let text = ''
  const told = inWholeCharacters(watch)
  let firstTokenMs: number | undefined
  let [started, stopped, counted] = [false, false, false]

  for await (const event of data as AsyncIterable<Event>) {
    if (event.type === 'message_start') {
      // What came before would be said twice.
      if (started) throw brokenOff(response, 'the message began a second time in one stream')
      started = true
      message['model'] = event.message?.['model']
      Object.assign(usage, event.message?.['usage'])
    } else if (event.type === 'content_block_delta' && event.delta?.type === 'text_delta') {
      firstTokenMs ??= elapsed()
      text += event.delta.text
      told(String(event.delta.text))
    } else if (event.type === 'message_delta') {
      message['stop_reason'] = event.delta?.stop_reason
      message['stop_details'] = event.delta?.stop_details
      // Cumulative: the last count stands; fields it leaves out keep what the start said.
      Object.assign(usage, withoutNull(event.usage))
      counted ||= event.usage?.['output_tokens'] != null
    } else if (event.type === 'message_stop') {
      stopped = true
    }
  }
  if (!stopped || typeof message['stop_reason'] !== 'string')
    throw brokenOff(response, 'the stream ended before the message did')
  told('', true)
  message['content'] = [{ type: 'text', text }]
  // What the start of a message says of output is said before there is any.
  message['usage'] = counted ? usage : undefined
  const reply = replyFrom(message, response)
  return firstTokenMs === undefined ? reply : { ...reply, firstTokenMs }
}

/** Half a character waits for its other half; one that never comes is told as replyFrom tells it. */
function inWholeCharacters(watch: Watch): (piece: string, last?: boolean) => void {
  let half = ''
  return (piece, last = false) => {
    const text = half + piece
    half = !last && /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : ''
    const whole = text.slice(0, text.length - half.length).replace(loneSurrogates, '\ufffd')
    if (whole !== '') watch(whole)
  }
}

function withoutNull(fields: Record<string, unknown> | undefined): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value != null))
}

function brokenOff(response: Response, message: string): AskError {
  const requestId = response.headers.get('request-id')
  return new AskError({
    kind: 'malformed',
    status: response.status,
    type: 'stream_ended_early',
    message,
    ...(requestId !== null && { requestId }),
  })
}
