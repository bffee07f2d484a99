import { describe, expect, it } from 'vitest'
import { computeWorstCaseCost } from '../../../src/core/pricing/budget-state.ts'
import { listPrice } from '../../../src/core/pricing/pricing-rules.ts'
import { createLimiterState, estimateDemand } from '../../../src/core/rate-limit/limiter-state.ts'
import { countPromptCharacters, type Request } from '../../../src/core/request/request.ts'
import { createRequest } from '../../support/scripted-ask.ts'

type Field = Exclude<keyof Request, 'path' | 'hash' | 'attemptNumber'>

/** A value for every field that is sent to the API, and whether the API bills that field as input. */
const fields: { readonly [Name in Field]: readonly [Request[Name], boolean] } = {
  system: ['Be brief. '.repeat(100), true],
  user: ['A document. '.repeat(100), true],
  citable: [{ text: 'A document. '.repeat(100), offset: 0 }, true],
  upload: [{ type: 'pdf', base64: 'JVBERi0x', pages: 3 }, true],
  schema: [{ type: 'object', description: 'An answer. '.repeat(100) }, true],
  model: ['claude-haiku-5-5', false],
  maxTokens: [1024, false],
  effort: ['high', false],
  thinking: ['disabled', false],
}

const pace = createLimiterState({}, 2.5, 0)
const sizes: Readonly<Record<string, (request: Request) => number>> = {
  'the length on which estimates are based': countPromptCharacters,
  'the worst case that --max-cost reserves': (request) => Number(computeWorstCaseCost(request, listPrice)),
  'the tokens that the rate limiter expects': (request) =>
    estimateDemand(pace, countPromptCharacters(request), request.maxTokens).inputTokens,
}

describe.each(Object.entries(sizes))('%s', (_, sizeOf) => {
  it('counts every field of a request that is billed as input, and no other', () => {
    const plain = sizeOf(createRequest('a.md'))
    for (const [name, [value, isInput]] of Object.entries(fields)) {
      const size = sizeOf(createRequest('a.md', { [name]: value }))
      expect([name, size > plain]).toEqual([name, isInput])
    }
  })
})

describe('the worst case of a request with a schema', () => {
  it('covers twice the length of the indented schema, because the API adds it to the prompt', () => {
    const schema = {
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`p${n}`, { type: 'string' }])),
    }
    const tokens = (request: Request) => {
      const price = listPrice({
        model: request.model,
        usage: {
          input_tokens: 1,
          output_tokens: 0,
          cache_creation_5m_input_tokens: 0,
          cache_creation_1h_input_tokens: 0,
          cache_read_input_tokens: 0,
        },
        terms: { usInference: true },
      })
      return Number(computeWorstCaseCost(request, listPrice)) / Number(price)
    }
    const more = tokens(createRequest('a.md', { schema })) - tokens(createRequest('a.md'))
    expect(more).toBeGreaterThan(2 * JSON.stringify(schema, null, 2).length)
  })
})
