import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Document } from '../../../src/core/document/document.ts'
import { type Prompt, renderPrompt } from '../../../src/core/request/render-prompt.ts'
import type { Request } from '../../../src/core/request/request.ts'
import { hashRequest, hashSettings } from '../../../src/core/request/request-hash.ts'
import { parseTemplate } from '../../../src/core/request/template.ts'

type Asked = Parameters<typeof hashRequest>[0]

const base: Required<Asked> = {
  model: 'claude-haiku-5-5',
  maxTokens: 1024,
  effort: 'low',
  thinking: 'disabled',
  system: 'Be brief.',
  user: 'A text.',
  citable: { text: 'High water.', offset: 2 },
  schema: { type: 'object' },
  upload: { type: 'pdf', base64: 'JVBERi0x', pages: 1 },
}

describe('the request hash', () => {
  /** Another value for each field that is sent to the API. */
  const changes: { readonly [Field in keyof Asked]-?: Asked[Field] } = {
    model: 'claude-sonnet-5-5',
    maxTokens: 1025,
    effort: 'high',
    thinking: 'between_tools',
    system: 'Be kind.',
    user: 'Another text.',
    citable: { text: 'High water.', offset: 3 },
    schema: { type: 'object', title: 'x' },
    upload: { type: 'pdf', base64: 'JVBERi0y', pages: 1 },
  }
  const fields = Object.keys(base) as (keyof Asked)[]

  it.each(fields)('changes with the value of %s and if the field is missing', (field) => {
    const { [field]: _, ...without } = base
    const hashes = [base, { ...base, [field]: changes[field] }, without as Asked].map((asked) =>
      hashRequest(asked, 'anthropic'),
    )
    expect(new Set(hashes).size).toBe(3)
  })

  it('differs for the simulator, and has 64 hexadecimal digits', () => {
    expect(hashRequest(base, 'anthropic')).not.toBe(hashRequest(base, 'simulator'))
    expect(hashRequest(base, 'anthropic')).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('the settings hash', () => {
  const slots = ['text', 'path', 'name', 'title']
  const template = fc
    .array(
      fc.oneof(fc.constantFrom(...slots.map((slot) => `{${slot}}`)), fc.constantFrom('a', ' in ', '.md')),
    )
    .map((parts) => parts.join(''))
  const documents = fc.record({ path: fc.constantFrom('a.md', 'b/c.txt'), text: fc.string({ minLength: 1 }) })

  const requestWith =
    (user: string) =>
    ({ path, text }: { path: string; text: string }): Request => {
      const prompt: Prompt = {
        name: 'p',
        version: 'v1',
        why: 'latest',
        origin: 'x',
        user: parseTemplate(user),
      }
      const document: Document = {
        ref: { index: 0, path, namedByUser: true },
        text,
        fingerprint: { size: 1, sha256: 's' },
      }
      const asked = { model: 'm', maxTokens: 10, ...renderPrompt(prompt, document, {}) }
      return { ...asked, hash: hashRequest(asked, 'anthropic'), path, attemptNumber: 1 }
    }
  const hashOf = (user: string) =>
    hashSettings(({ ref: source, text }) => requestWith(user)({ path: source.path, text }))

  it('is the same for two prompts only if both result in the same request for every document', () => {
    fc.assert(
      fc.property(template, template, documents, (one, other, document) => {
        const [a, b] = [one, other].map((user) => requestWith(user)(document).hash)
        if (hashOf(one) === hashOf(other)) expect(a).toBe(b)
        if (one === other) expect(hashOf(one)).toBe(hashOf(other))
      }),
      { numRuns: 500 },
    )
  })

  it('changes with any additional value', () => {
    const request = ({ ref: source, text }: Document) => requestWith('{text}')({ path: source.path, text })
    expect(hashSettings(request, ['a'])).not.toBe(hashSettings(request, ['b']))
    expect(hashSettings(request)).toMatch(/^[0-9a-f]{16}$/)
  })
})
