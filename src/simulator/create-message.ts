import type { Message } from './api-message.ts'
import { createCitedContent } from './cited-content.ts'
import { extractSummary } from './extract-summary.ts'
import type { Behaviour } from './script.ts'
import { simulateVerdict } from './simulate-verdict.ts'
import { generateFromSchema } from './simulated-schema.ts'
import type { MessageRequest } from './validate-request.ts'

/** Returns the answer to a request: an extractive summary, cut off at `max_tokens`. */
export function createMessage(
  request: MessageRequest,
  index: number,
  overrides: Partial<Extract<Behaviour, { kind: 'answer' }>>,
): Message {
  const fullText = overrides.text ?? simulateVerdict(request.lastText) ?? createAnswer(request)
  const maxChars = Math.floor(request.max_tokens * charsPerToken)
  const isTooLong = fullText.length > maxChars
  const text = isTooLong
    ? fullText.slice(0, maxChars)
    : overrides.stopReason === 'max_tokens'
      ? fullText.slice(0, fullText.length / 2)
      : fullText
  const { citable } = request
  const createContent = () =>
    citable === undefined
      ? [{ type: 'text', text, citations: null }]
      : createCitedContent(text, citable, overrides.wrongCitations)
  const content = overrides.content ?? (text === '' ? [] : createContent())
  return {
    id: `msg_sim${String(index).padStart(8, '0')}`,
    type: 'message',
    role: 'assistant',
    model: overrides.model ?? request.model,
    content,
    stop_reason: overrides.stopReason ?? (isTooLong ? 'max_tokens' : 'end_turn'),
    stop_sequence: null,
    stop_details: overrides.stopDetails ?? null,
    ...(overrides.usage !== null && {
      usage: overrides.usage ?? createUsage(request.inputTokens, countOutputTokens({ content })),
    }),
  }
}

/** Returns the billed output tokens of a message. */
export function countOutputTokens({ content }: Pick<Message, 'content'>): number {
  return countTokens(content.map((block) => (block as { text?: string }).text ?? '').join(''))
}

function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / charsPerToken))
}

const charsPerToken = 2.5

function createUsage(input: number, output: number): Record<string, unknown> {
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

function createAnswer({ schema, lastText, citable }: MessageRequest): string {
  const text = extractSummary(citable?.text ?? lastText)
  return schema === undefined ? text : JSON.stringify(generateFromSchema(schema, text))
}
