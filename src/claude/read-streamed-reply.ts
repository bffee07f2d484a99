import { APIError, type APIPromise } from '@anthropic-ai/sdk'
import { Stream } from '@anthropic-ai/sdk/core/streaming'
import type { AskError } from '../core/errors/ask-error.ts'
import type { OnText } from '../core/request/ask.ts'
import type { Reply } from '../core/request/reply.ts'
import { loneSurrogates, malformedReplyError, parseReply, readJsonBody } from './read-message.ts'
import { type Fields, parseJson, toFields } from './wire-values.ts'

/**
 * The reply of a streamed request, put together here: the SDK's iterator ends without complaint where the connection
 * was closed early, so only `message_stop` after a stop reason makes a reply. Events of unknown types are ignored. A
 * server that does not stream may send the whole message instead.
 * @param elapsedMs milliseconds since sending
 * @param onText called with the text as it comes
 * @throws AskError `malformed` where the stream breaks off or cannot be read; APIError for an error in it
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export async function readStreamedReply(
  promise: APIPromise<unknown>,
  elapsedMs: () => number,
  onText: OnText = () => {},
): Promise<Reply> {
  const response = await promise.asResponse()
  const emitText = createCharacterBuffer(onText)
  if (isWholeBody(response.headers.get('content-type'))) {
    const reply = parseReply(await readJsonBody(response), response)
    emitText(reply.text, true)
    return reply
  }
  const message = new StreamedMessage(response)
  let firstTokenMs: number | undefined
  // The raw events: from a parsed stream, the SDK would print what it cannot parse, which may be of a document.
  for await (const { event, data } of Stream.rawEvents(response)) {
    const text = message.add(event, data)
    if (text === '') continue
    firstTokenMs ??= elapsedMs()
    emitText(text)
  }
  const reply = message.finish()
  emitText('', true)
  return firstTokenMs === undefined ? reply : { ...reply, firstTokenMs }
}

/** Whether a response has a whole body, not a stream; without a content type it is taken to be the stream. */
function isWholeBody(contentType: string | null): boolean {
  return contentType !== null && /^[^;]*(json|html|xml)/i.test(contentType)
}

/** A message that comes in pieces. */
class StreamedMessage {
  readonly #response: Response
  #text = ''
  #start: Fields | undefined
  #end: Fields = {}
  #usage: Fields = {}
  #isCounted = false
  #isStopped = false

  constructor(response: Response) {
    this.#response = response
  }

  /** Takes the next event in, by its `event:` line and its data; returns the text it adds. */
  add(name: string | null, data: string): string {
    if (name === 'ping' || data === '') return ''
    const event = parseJson(data)
    const { type, message, delta: change, usage } = toFields(event)
    const delta = toFields(change)
    if (name === 'error' || type === 'error')
      throw new APIError(undefined, toFields(event), undefined, this.#response.headers)
    // A line of a gateway's own, such as `data: [DONE]`, has no name.
    if (event === undefined && name !== null) throw this.#malformed('an event of the stream is not JSON')
    switch (type) {
      case 'message_start':
        // The text before it would come twice.
        if (this.#start !== undefined) throw this.#malformed('the message began a second time in one stream')
        this.#start = toFields(message)
        this.#usage = toFields(this.#start['usage'])
        return ''
      case 'content_block_delta':
        if (delta['type'] !== 'text_delta') return ''
        // Leaving such a piece out would pass the rest for the whole summary.
        if (typeof delta['text'] !== 'string') throw this.#malformed('a piece of the text is unreadable')
        this.#text += delta['text']
        return delta['text']
      case 'message_delta':
        this.#end = { ...this.#end, ...omitNull(delta) }
        // Cumulative: the last count holds; fields that it leaves out keep the values of the start.
        this.#usage = { ...this.#usage, ...omitNull(toFields(usage)) }
        this.#isCounted ||= toFields(usage)['output_tokens'] != null
        return ''
      case 'message_stop':
        this.#isStopped = true
    }
    return ''
  }

  finish(): Reply {
    if (!this.#isStopped || typeof this.#end['stop_reason'] !== 'string')
      throw this.#malformed('the stream ended before the message did')
    const message = {
      type: 'message',
      model: this.#start?.['model'],
      content: [{ type: 'text', text: this.#text }],
      stop_reason: this.#end['stop_reason'],
      stop_details: this.#end['stop_details'],
      // The start counts output before there is any.
      usage: this.#isCounted ? this.#usage : undefined,
    }
    return parseReply(message, this.#response)
  }

  #malformed(why: string): AskError {
    return malformedReplyError(this.#response, why, 'stream_ended_early')
  }
}

/** Half a character waits for its other half; one that never comes is told as replyFrom tells it. */
function createCharacterBuffer(onText: OnText): (piece: string, last?: boolean) => void {
  let pendingSurrogate = ''
  return (piece, last = false) => {
    const text = pendingSurrogate + piece
    pendingSurrogate = !last && /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : ''
    const whole = text.slice(0, text.length - pendingSurrogate.length).replace(loneSurrogates, '\ufffd')
    if (whole !== '') onText(whole)
  }
}

function omitNull(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null))
}
