import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Document, extractTitle } from '../../../src/core/document/document.ts'
import { buildRequest } from '../../../src/core/request/build-request.ts'
import { sanitizeInline } from '../../../src/core/request/delimit.ts'
import { renderPrompt } from '../../../src/core/request/render-prompt.ts'
import { hashRequest } from '../../../src/core/request/request-hash.ts'
import { parseTemplate } from '../../../src/core/request/template.ts'
import { extractNotebookText } from '../../../src/inputs/read/readers/notebook.ts'

const half = '\ud83d'
const provider = 'anthropic'

describe('buildRequest', () => {
  it('returns only well-formed text, even if any of its inputs has a lone surrogate', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '😀', half, '\ude00', '"', '\\') })
    const schema = fc.dictionary(text, fc.oneof(text, fc.array(text), fc.dictionary(text, text)))
    fc.assert(
      fc.property(text, text, text, schema, (user, system, model, schema) => {
        const request = buildRequest({ user, system, model, schema, maxTokens: 9 }, 'a.md', provider)
        const { hash: key, path, attemptNumber: attempt, ...sent } = request
        // JSON escapes a lone surrogate; nothing else in these texts produces a lower-case `\ud`.
        expect(JSON.stringify(Object.values(sent)).replaceAll('\\\\', '')).not.toMatch(/\\ud/)
        expect(key).toBe(hashRequest(sent, provider))
        expect([path, attempt]).toEqual(['a.md', 1])
      }),
    )
  })

  it('replaces a lone surrogate with U+FFFD, and hashes equal requests to the same value', () => {
    const request = (user: string) => buildRequest({ model: 'm', maxTokens: 9, user }, 'a.md', provider)
    expect(request(`a${half}b`).user).toBe('a\ufffdb')
    expect(request(`a${half}b`).hash).toBe(request('a\ufffdb').hash)
  })

  it('hashes a document with and without the positions in it to the same value', () => {
    const user = parseTemplate('{text}{path}{name}{title}')
    const prompt = { name: 'x', version: 'v1', why: 'latest', origin: 'here', user, system: user } as const
    const document: Document = {
      ref: { index: 0, path: 'a.pdf', namedByUser: true },
      text: 'One page.',
      fingerprint: { size: 1, sha256: '' },
    }
    const marked: Document = { ...document, marks: [{ offset: 0, kind: 'page', label: '1' }] }
    const [hash, markedHash] = [document, marked].map(
      (it) =>
        buildRequest({ model: 'm', maxTokens: 9, ...renderPrompt(prompt, it, {}) }, 'a.pdf', provider).hash,
    )
    expect(markedHash).toBe(hash)
  })

  it('returns well-formed text if the document, its path, its title and a variable are malformed', () => {
    const user = parseTemplate('{text}{path}{name}{title}{var}')
    const prompt = { name: 'x', version: 'v1', why: 'latest', origin: 'here', user, system: user } as const
    const path = `a${half}/b${half}.md`
    const document: Document = {
      ref: { index: 0, path, namedByUser: true },
      text: `# x${half}`,
      fingerprint: { size: 1, sha256: '' },
    }
    const texts = renderPrompt(prompt, document, { var: half })
    const sent = buildRequest({ model: 'm', maxTokens: 9, ...texts }, path, provider)
    expect([sent.user.isWellFormed(), sent.system?.isWellFormed()]).toEqual([true, true])
  })
})

describe('shortening a text for a prompt', () => {
  const emoji = `${'x'.repeat(199)}😀y`

  it.each([
    ['the title of a document', () => extractTitle(`# ${emoji}`)],
    ['a path', () => sanitizeInline(emoji)],
    [
      'the output of a notebook',
      async () => {
        const text = `${'x'.repeat(1999)}😀y`
        const notebook = { cells: [{ cell_type: 'code', outputs: [{ text }] }] }
        return (await extractNotebookText(JSON.stringify(notebook))).text
      },
    ],
  ])('never splits a surrogate pair in %s', async (_name, cut) => {
    const text = await cut()
    expect(text.isWellFormed()).toBe(true)
    expect(text).not.toContain('\ufffd')
  })
})
