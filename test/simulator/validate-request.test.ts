import { describe, expect, it } from 'vitest'
import { validateRequest } from '../../src/simulator/validate-request.ts'

const good = {
  model: 'claude-haiku-5-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Summarize.' }],
}
const check = (change: object) => validateRequest({ ...good, ...change }, 'messages')
const said = (content: unknown, role = 'user') => ({ messages: [{ role, content }] })

describe('a valid request', () => {
  it.each<[string, object]>([
    ['the minimal request', {}],
    ['a system prompt', { system: 'Be short.' }],
    ['a system prompt in blocks', { system: [{ type: 'text', text: 'Be short.' }] }],
    ['text in blocks', said([{ type: 'text', text: 'Summarize.', cache_control: { type: 'ephemeral' } }])],
    [
      'all optional fields',
      { metadata: {}, service_tier: 'auto', stop_sequences: ['END'], cache_control: null },
    ],
    ['an effort', { output_config: { effort: 'low' } }],
    ['a format', { output_config: { format: { type: 'json_schema', schema: {} } } }],
    ['Haiku 5.5 without thinking', { thinking: { type: 'disabled' }, output_config: { effort: 'high' } }],
    ['Sonnet 5.5 between tools', { model: 'claude-sonnet-5-5', thinking: { type: 'between_tools' } }],
    ['Opus 4.5 by its dated id', { model: 'claude-opus-4-5-20251101', output_config: { effort: 'high' } }],
    ['the highest max_tokens', { max_tokens: 128_000 }],
  ])('%s is accepted', (_name, change) => {
    expect(check(change)).toMatchObject({ max_tokens: expect.any(Number), inputTokens: expect.any(Number) })
  })

  it('needs no max_tokens for count_tokens', () => {
    const { max_tokens: _, ...counted } = good
    expect(validateRequest(counted, 'count_tokens')).toHaveProperty('inputTokens')
  })

  it('has more tokens in the same text for newer models', () => {
    const text = said('x'.repeat(10_000))
    const tokens = (model: string) => (check({ ...text, model }) as { inputTokens: number }).inputTokens
    expect(tokens('claude-haiku-5-5') / tokens('claude-haiku-4-5')).toBeCloseTo(1.4, 1)
  })
})

describe('an invalid request', () => {
  it.each<[string, object, string]>([
    ['an unknown field', { top_b: 1 }, 'top_b: Extra inputs are not permitted'],
    ['temperature', { temperature: 1 }, 'temperature: Extra inputs are not permitted'],
    ['top_p', { top_p: 1 }, 'top_p: Extra inputs are not permitted'],
    ['top_k', { top_k: 1 }, 'top_k: Extra inputs are not permitted'],
    ['no model', { model: undefined }, 'model: Field required'],
    ['no max_tokens', { max_tokens: undefined }, 'max_tokens: Field required'],
    ['max_tokens of 0', { max_tokens: 0 }, 'max_tokens: '],
    ['a fractional max_tokens', { max_tokens: 1.5 }, 'max_tokens: '],
    ['a max_tokens above the limit', { max_tokens: 128_001 }, 'max_tokens: 128001 > 128000'],
    [
      'a max_tokens above the limit of Haiku 4.5',
      { model: 'claude-haiku-4-5', max_tokens: 64_001 },
      'max_tokens: 64001 > 64000',
    ],
    ['an empty list of messages', { messages: [] }, 'messages: at least one message is required'],
    ['no messages', { messages: undefined }, 'messages: '],
    ['an unknown role', said('x', 'tool'), 'messages.0.role: '],
    ['no content', said(undefined), 'messages.0.content: '],
    ['empty text', said(''), 'messages.0.content: text content blocks must'],
    [
      'blank text in a block',
      said([{ type: 'text', text: ' \n' }]),
      'messages.0.content: text content blocks must',
    ],
    ['an empty list of blocks', said([]), 'messages.0.content: '],
    ['a blank system prompt', { system: '  ' }, 'system: '],
    ['a stream of "yes"', { stream: 'yes' }, 'stream: Input should be a valid boolean'],
    ['an unknown effort', { output_config: { effort: 'huge' } }, 'output_config.effort: '],
    [
      'an unknown field of output_config',
      { output_config: { level: 1 } },
      'output_config.level: Extra inputs',
    ],
    [
      'effort for Haiku 4.5',
      { model: 'claude-haiku-4-5', output_config: { effort: 'low' } },
      'This model does not',
    ],
    [
      'xhigh for 4.6',
      { model: 'claude-opus-4-6', output_config: { effort: 'xhigh' } },
      'output_config.effort: ',
    ],
    [
      'thinking off for Sonnet 5.5',
      { model: 'claude-sonnet-5-5', thinking: { type: 'disabled' } },
      'thinking.type: ',
    ],
    ['a thinking budget for 5.5', { thinking: { type: 'enabled', budget_tokens: 2000 } }, 'thinking.type: '],
    [
      'adaptive thinking for 4.5',
      { model: 'claude-opus-4-5', thinking: { type: 'adaptive' } },
      'thinking.type: ',
    ],
    [
      'thinking off at xhigh',
      { thinking: { type: 'disabled' }, output_config: { effort: 'xhigh' } },
      'thinking.type: ',
    ],
    [
      'a prefilled answer',
      { messages: [...good.messages, { role: 'assistant', content: 'It' }] },
      'This model does not support assistant message prefill',
    ],
    ['a prompt beyond a context window of 1M', said('x'.repeat(2_600_000)), 'prompt is too long: 10400'],
    [
      'a prompt beyond a context window of 200K',
      { ...said('x'.repeat(800_000)), model: 'claude-haiku-4-5' },
      'prompt is too long: 2285',
    ],
  ])('%s is rejected', (_name, change, message) => {
    expect(check(change)).toEqual({
      status: 400,
      type: 'invalid_request_error',
      message: expect.stringContaining(message),
    })
  })

  it.each(['claude-opus-4-1', 'gpt-4', 'constructor', ''])('the unknown model %j is rejected', (model) => {
    expect(check({ model })).toEqual({ status: 404, type: 'not_found_error', message: `model: ${model}` })
  })

  it.each([null, 1, 'text', []])('the body %j is rejected', (body) => {
    expect(validateRequest(body, 'messages')).toMatchObject({ status: 400 })
  })
})
