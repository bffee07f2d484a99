import type { Message } from './api-message.ts'
import { extract } from './extract.ts'
import { judged } from './judge-answer.ts'
import type { Behaviour } from './script.ts'
import { fitting } from './structured.ts'
import type { MessageRequest } from './validate.ts'

/** Makes the answer to a request: an extractive summary, cut off where it is longer than asked for. */
export function messageFor(
  request: MessageRequest,
  index: number,
  wanted: Partial<Extract<Behaviour, { kind: 'answer' }>>,
): Message {
  const full = wanted.text ?? judged(request.lastText) ?? answerTo(request)
  const cutAt = Math.floor(request.max_tokens * charsPerToken)
  const tooLong = full.length > cutAt
  const text = tooLong
    ? full.slice(0, cutAt)
    : wanted.stopReason === 'max_tokens'
      ? full.slice(0, full.length / 2)
      : full
  const content = wanted.content ?? (text === '' ? [] : [{ type: 'text', text, citations: null }])
  return {
    id: `msg_sim${String(index).padStart(8, '0')}`,
    type: 'message',
    role: 'assistant',
    model: wanted.model ?? request.model,
    content,
    stop_reason: wanted.stopReason ?? (tooLong ? 'max_tokens' : 'end_turn'),
    stop_sequence: null,
    stop_details: wanted.stopDetails ?? null,
    ...(wanted.usage !== null && {
      usage: wanted.usage ?? usageFor(request.inputTokens, outputTokens({ content })),
    }),
  }
}

/** Tokens the text of a message is billed as. */
export function outputTokens({ content }: Pick<Message, 'content'>): number {
  return tokensIn(content.map((block) => (block as { text?: string }).text ?? '').join(''))
}

function tokensIn(text: string): number {
  return Math.max(1, Math.ceil(text.length / charsPerToken))
}

const charsPerToken = 2.5

function usageFor(input: number, output: number): Record<string, unknown> {
  return {
    input_tokens: input,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { thinking_tokens: 0 },
    server_tool_use: null,
    service_tier: 'standard',
  }
}

function answerTo({ schema, lastText }: MessageRequest): string {
  const text = extract(lastText)
  return schema === undefined ? text : JSON.stringify(fitting(schema, text))
}
