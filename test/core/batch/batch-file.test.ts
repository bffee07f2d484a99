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

describe('createBatchFileReader', () => {
  it('reads everything that was written to the file', () => {
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

  it('reads the settings that several documents share from one line', () => {
    expect(linesOf().filter((line) => line.includes('"type":"settings"'))).toHaveLength(3)
    const file = read(linesOf())
    const [first, , third] = 'items' in file ? [...file.items.values()] : []
    expect(first?.asked.answerSettings).toBe(third?.asked.answerSettings)
  })

  it('treats a file without a seal as never sent, even if the file ends in the middle of a line', () => {
    const whole = linesOf().slice(0, -3)
    for (let count = 1; count <= whole.length; count++) {
      const lines = whole.slice(0, count)
      for (const cut of [lines, [...lines.slice(0, -1), lines.at(-1)?.slice(0, -5) ?? '']])
        expect(read(cut)).toMatchObject({ sealedAt: undefined })
    }
  })

  it('treats a file without a seal as never sent, even if a power failure damaged any of its lines', () => {
    const whole = linesOf().slice(0, -3)
    for (let n = 0; n < whole.length; n++)
      for (const damage of ['\0\0\0', '', '{"type":"doc'])
        expect(read(whole.map((line, at) => (at === n ? damage : line)))).toMatchObject({
          sealedAt: undefined,
        })
  })

  it('reports a file as damaged if only its seal is, because the API confirmed the batch', () => {
    const lines = linesOf()
    const seal = lines.findIndex((line) => line.includes('"type":"sealed"'))
    lines[seal] = '\0\0\0'
    expect(read(lines)).toEqual({ damagedLine: seal + 1 })
  })

  it('reports a file as damaged if a line before the seal is incomplete', () => {
    for (let n = 1; n < linesOf().length - 3; n++) {
      const lines = linesOf()
      lines[n] = lines[n]?.slice(0, -5) ?? ''
      expect(read(lines)).toEqual({ damagedLine: n + 1 })
    }
  })

  it.each([
    ['the id of another batch', 0, { local_id: 'fedcba9876543210' }],
    ['a custom_id that is a number', 2, { custom_id: 7 }],
    ['a custom_id that the API does not accept', 2, { custom_id: '../x' }],
    ['settings that the file does not contain', 2, { settings: 9 }],
    ['an empty path', 2, { path: '' }],
    ['a negative size', 2, { size_bytes: -1 }],
    ['an unknown kind of text', 2, { text_kind: 'poetry' }],
    ['a schema that the API does not accept', 3, { schema: { type: 'string' } }],
    ['an asynchronous schema', 3, { schema: { ...schema, $async: true } }],
    ['a word count that is not a number', 3, { words: 'many' }],
    [
      'a price that is not a number',
      3,
      { price: { input: 1, output: '2', cache_write_5m: 1, cache_write_1h: 1, cache_read: 1 } },
    ],
    ['a seal whose time is not a number', 8, { sealed_at: 'yesterday' }],
  ])('reports a file as damaged if one of its lines has %s', (_, n, change) => {
    const lines = linesOf()
    lines[n] = JSON.stringify({ ...JSON.parse(lines[n] ?? ''), ...change })
    expect(read(lines)).toEqual({ damagedLine: n + 1 })
  })

  it('drops a batch id that would change the path of a URL', () => {
    const lines = linesOf().map((line) => line.replace('msgbatch_1', '..'))
    expect(read(lines)).toMatchObject({ id: undefined })
  })

  it('never throws, even if any field of any line has any value', () => {
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
