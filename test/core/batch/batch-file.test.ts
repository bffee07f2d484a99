import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BatchItem } from '../../../src/core/batch/batch.ts'
import {
  createItemFormatter,
  formatCreatedLine,
  formatHeaderLine,
  formatSealedLine,
  formatSettledLine,
} from '../../../src/core/batch/batch-file.ts'
import { createBatchFileReader } from '../../../src/core/batch/read-batch-file.ts'
import type { AnswerSettings } from '../../../src/core/request/answer-settings.ts'

const name = '0123456789abcdef'
const schema = { type: 'object', properties: { title: { type: 'string' } }, additionalProperties: false }
const price = { input: 1, output: 2, cacheWrite5m: 1.25, cacheWrite1h: 2, cacheRead: 0.1 }
const plain: AnswerSettings = { maxTokens: 1024, frontMatter: false }
const full: AnswerSettings = {
  maxTokens: 2048,
  frontMatter: true,
  schema,
  language: 'German',
  words: 80,
  replacesBefore: 1_700_000_000_000.5,
  price,
}

const packed = (path: string, answerSettings: AnswerSettings, recipe = 'r'): BatchItem => ({
  path,
  asked: {
    requestHash: `key of ${path}`,
    fingerprint: { size: 3, mtimeMs: -1.5, sha256: 'abc' },
    characters: 30,
    kind: 'prose',
    provenance: { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash: recipe },
    answerSettings,
  },
})
const documents = new Map([
  ['id_0', packed('docs/0.md', plain)],
  ['id_1', packed('docs/1.md', full)],
  ['id_2', packed('docs/2.md', plain)],
  ['id_3', packed('docs/3.md', plain, 'other')],
])

function linesOf(): string[] {
  const documentLines = createItemFormatter()
  return [
    formatHeaderLine({ localId: name, endpoint: 'https://api.example', cwd: '..' }),
    ...[...documents].flatMap(([id, document]) => documentLines(id, document)),
    formatSealedLine(1_700_000_000_000),
    formatCreatedLine('msgbatch_1', 1_700_000_000_500),
    formatSettledLine(['id_2']),
  ]
}

function read(lines: readonly string[]) {
  const reader = createBatchFileReader((base, path) => `${base}/${path}`)
  for (const line of lines) reader.readLine(line)
  return reader.finish(name)
}

describe('a batch file', () => {
  it('has everything that was put into it', () => {
    const file = read(linesOf())
    expect(file).toMatchObject({
      endpoint: 'https://api.example',
      sealedAt: 1_700_000_000_000,
      id: 'msgbatch_1',
      settledIds: new Set(['id_2']),
    })
    if (!('items' in file)) return
    const expected = [...documents].map(([id, it]) => [id, { ...it, path: `../${it.path}` }])
    expect([...file.items]).toEqual(expected)
  })

  it('has the settings of many documents once', () => {
    expect(linesOf().filter((line) => line.includes('"type":"settings"'))).toHaveLength(3)
    const file = read(linesOf())
    const [first, , third] = 'items' in file ? [...file.items.values()] : []
    expect(first?.asked.answerSettings).toBe(third?.asked.answerSettings)
  })

  it('was never sent where it ends before its seal, even in the middle of a line', () => {
    const whole = linesOf().slice(0, -3)
    for (let count = 1; count <= whole.length; count++) {
      const lines = whole.slice(0, count)
      for (const cut of [lines, [...lines.slice(0, -1), lines.at(-1)?.slice(0, -5) ?? '']])
        expect(read(cut)).toMatchObject({ sealedAt: undefined })
    }
  })

  it('is damaged where a line before the seal is not whole', () => {
    for (let n = 1; n < linesOf().length - 3; n++) {
      const lines = linesOf()
      lines[n] = lines[n]?.slice(0, -5) ?? ''
      expect(read(lines)).toEqual({ damagedLine: n + 1 })
    }
  })

  it.each([
    ['of another batch', 0, { local_id: 'fedcba9876543210' }],
    ['with a custom_id that is a number', 2, { custom_id: 7 }],
    ['with a custom_id that the API does not accept', 2, { custom_id: '../x' }],
    ['with settings that are not there', 2, { settings: 9 }],
    ['without a path', 2, { path: '' }],
    ['with a size that is none', 2, { size_bytes: -1 }],
    ['of an unknown kind of text', 2, { text_kind: 'poetry' }],
    ['with a schema that the API does not accept', 3, { schema: { type: 'string' } }],
    ['with a schema that is checked later', 3, { schema: { ...schema, $async: true } }],
    ['with words in letters', 3, { words: 'many' }],
    [
      'with a price that is none',
      3,
      { price: { input: 1, output: '2', cache_write_5m: 1, cache_write_1h: 1, cache_read: 1 } },
    ],
    ['sealed at no time', 8, { sealed_at: 'yesterday' }],
  ])('is refused with a line %s', (_, n, change) => {
    const lines = linesOf()
    lines[n] = JSON.stringify({ ...JSON.parse(lines[n] ?? ''), ...change })
    expect(read(lines)).toEqual({ damagedLine: n + 1 })
  })

  it('keeps no id that would change the path of a URL', () => {
    const lines = linesOf().map((line) => line.replace('msgbatch_1', '..'))
    expect(read(lines)).toMatchObject({ id: undefined })
  })

  it('is read without an exception whatever is in it', () => {
    const field = fc.constantFrom(
      ...new Set(linesOf().flatMap((line) => Object.keys(JSON.parse(line) as object))),
    )
    const change = fc.record({ n: fc.nat(linesOf().length - 1), field, value: fc.jsonValue() })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const lines = linesOf()
        for (const { n, field, value } of changes)
          lines[n] = JSON.stringify({ ...JSON.parse(lines[n] ?? ''), [field]: value })
        expect(Object.keys(read(lines))).toContainEqual(
          expect.stringMatching(/^(items|version|damagedLine)$/),
        )
      }),
    )
  })
})
