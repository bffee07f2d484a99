import { APIError } from '@anthropic-ai/sdk'
import { Stream } from '@anthropic-ai/sdk/core/streaming'
import type { AskError } from '../core/errors/ask-error.ts'
import type { OnText } from '../core/request/ask.ts'
import type { Reply } from '../core/request/reply.ts'
import { loneSurrogates, malformedReplyError, parseReply, readJsonBody } from './read-message.ts'
import type { PendingResponse } from './sdk-client.ts'
import { type Fields, parseJson, toFields } from './wire-values.ts'

/**
 * Reads the reply to a streamed request. The events are assembled here, because the SDK's iterator ends
 * without an error if the connection closes early. Only a `message_stop` after a stop reason completes a
 * reply. Events of unknown types are ignored. A server that does not stream may send the whole message
 * instead.
 * @param elapsedMs returns the milliseconds since the request was sent
 * @param onText called with the text as it arrives
 * @throws AskError `malformed` if the stream breaks off or is unreadable; APIError for an error event
 * @see https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export async function readStreamedReply(
  promise: PendingResponse,
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
  // With parsed events, the SDK would print unparsable ones, which may contain document text.
  for await (const { event, data } of readEvents(response)) {
    const text = message.add(event, data)
    if (text === '') continue
    firstTokenMs ??= elapsedMs()
    emitText(text)
  }
  const reply = message.finish()
  emitText('', true)
  return firstTokenMs === undefined ? reply : { ...reply, firstTokenMs }
}

/** Yields the events of a stream. An error while reading gets a cause that says where it happened. */
async function* readEvents(response: Response): ReturnType<typeof Stream.rawEvents> {
  try {
    yield* Stream.rawEvents(response)
  } catch (error) {
    throw new Error('the stream broke off', { cause: error })
  }
}

/**
 * Whether a response has a plain body instead of a stream. Without a content type it is assumed to be a
 * stream.
 */
function isWholeBody(contentType: string | null): boolean {
  return contentType !== null && /^[^;]*(json|html|xml)/i.test(contentType)
}

interface StreamedBlock {
  type: string
  text: string
  readonly citations: unknown[]
}

/** A message that arrives in pieces. */
class StreamedMessage {
  readonly #response: Response
  /** The blocks, by their index in the message. */
  readonly #blocks = new Map<unknown, StreamedBlock>()
  #start: Fields | undefined
  #end: Fields = {}
  #usage: Fields = {}
  #isCounted = false
  #isStopped = false

  constructor(response: Response) {
    this.#response = response
  }

  /** Adds the next event, given its `event:` line and its data. Returns the text that it adds. */
  add(name: string | null, data: string): string {
    if (name === 'ping' || data === '') return ''
    const event = parseJson(data)
    const { type, index, message, content_block: block, delta: change, usage } = toFields(event)
    const delta = toFields(change)
    if (name === 'error' || type === 'error')
      throw new APIError(undefined, toFields(event), undefined, this.#response.headers)
    // A line that a gateway adds, such as `data: [DONE]`, has no name.
    if (event === undefined && name !== null) throw this.#malformed('an event of the stream is not JSON')
    switch (type) {
      case 'message_start':
        // The text so far would appear twice.
        if (this.#start !== undefined) throw this.#malformed('the message began a second time in one stream')
        this.#start = toFields(message)
        this.#usage = toFields(this.#start['usage'])
        return ''
      case 'content_block_start':
        return this.#extendBlock(index, toFields(block))
      case 'content_block_delta':
        if (delta['type'] === 'citations_delta') this.#getBlock(index).citations.push(delta['citation'])
        if (delta['type'] !== 'text_delta') return ''
        // Without this check, an incomplete text would be accepted as the summary.
        if (typeof delta['text'] !== 'string') throw this.#malformed('a piece of the text is unreadable')
        return this.#extendBlock(index, { type: 'text', text: delta['text'] })
      case 'message_delta':
        this.#end = { ...this.#end, ...omitNull(delta) }
        // Counts are cumulative, so the last one is valid. Missing fields keep the values of `message_start`.
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
      content: [...this.#blocks.values()],
      stop_reason: this.#end['stop_reason'],
      stop_details: this.#end['stop_details'],
      // `message_start` has an output count from before any output.
      usage: this.#isCounted ? this.#usage : undefined,
    }
    return parseReply(message, this.#response)
  }

  /** Begins or continues a block, and returns its new text. Blocks of the API begin without any, those of gateways may not. */
  #extendBlock(index: unknown, { type, text, citations }: Fields): string {
    const block = this.#getBlock(index)
    if (typeof type === 'string') block.type = type
    if (Array.isArray(citations)) block.citations.push(...(citations as unknown[]))
    if (type !== 'text' || typeof text !== 'string') return ''
    block.text += text
    return text
  }

  /** Returns a block. Blocks arrive one after the other; one that did not begin is a text. */
  #getBlock(index: unknown): StreamedBlock {
    const block = this.#blocks.get(index) ?? { type: 'text', text: '', citations: [] }
    this.#blocks.set(index, block)
    return block
  }

  #malformed(problem: string): AskError {
    return malformedReplyError(this.#response, problem, 'stream_ended_early')
  }
}

/**
 * Returns a buffer that keeps a trailing high surrogate until its low surrogate arrives. A surrogate that
 * stays alone is replaced, as in `parseReply`.
 */
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
