import { resolve } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readDocuments } from '../../src/documents.ts'
import { definePrompt, memoryStore, summarizeAll } from '../../src/index.ts'
import { answerWith, collectItems, createLibraryClient } from '../support/library-client.ts'

const root = resolve(import.meta.dirname, '../..')
const text = 'The log of the pier. 🚢 High water was at 06:12. The ferry waited for it.'
const quote = 'High water was at 06:12.'
const prompt = definePrompt({ user: 'Sum up.\n\n{text}', citations: true })

it('a prompt with citations gives outcomes the passages, from the store and from batches too', async () => {
  const { client } = await createLibraryClient({
    script: () => answerWith(quote),
    batches: { durationMs: 0 },
  })
  const start = text.indexOf(quote)
  const citation = {
    supports: { start: 0, end: quote.length },
    quote,
    found: { start, end: start + quote.length },
    place: 'line 1',
  }
  const store = memoryStore()
  for (const reused of [false, true])
    expect(await collectItems(summarizeAll([text], { client, prompt, store }))).toMatchObject([
      { status: 'summarized', text: quote, citations: [citation], reused },
    ])
  const texts = [`${text} One.`, `${text} Two.`]
  await collectItems(summarizeAll(texts, { client, prompt, store, mode: 'batch', wait: false }))
  for (const outcome of await collectItems(
    summarizeAll(texts, { client, prompt, store, mode: 'batch', wait: false }),
  ))
    expect(outcome).toMatchObject({ citations: [citation] })
})

it('every passage that is shown is in its document, in every format', async () => {
  const { client } = await createLibraryClient()
  const documents = await collectItems(
    readDocuments(['fixtures/kinds', 'fixtures/documents'], { cwd: root, ext: ['+png', '+tif'] }),
  )
  const textById = new Map(documents.map((item) => [item.id, 'text' in item ? item.text : '']))
  const outcomes = await collectItems(summarizeAll(documents, { client, prompt, chunkTokens: 2000 }))
  const kinds = new Map<string, number>()
  for (const { id, ...outcome } of outcomes) {
    if (outcome.status !== 'summarized') continue
    for (const { supports, quote, found, place } of outcome.citations ?? []) {
      if (found === undefined) continue
      expect([id, textById.get(id)?.slice(found.start, found.end)]).toEqual([id, quote])
      expect(outcome.text.slice(supports.start, supports.end).trim()).not.toBe('')
      expect(place ?? '').not.toContain('\n')
      // The text of an XFA form has no pages.
      if (id.endsWith('.pdf') && !id.includes('xfa')) expect(place).toMatch(/^page \d+/)
      const kind = /\.\w+$/.exec(id)?.[0] ?? ''
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    }
  }
  expect(kinds.size).toBeGreaterThan(15)
  for (const kind of ['.md', '.pdf', '.docx', '.html', '.eml'])
    expect([kind, kinds.has(kind)]).toEqual([kind, true])
  // Their text is only the name of the file.
  for (const kind of ['.png', '.tif']) expect([kind, kinds.has(kind)]).toEqual([kind, false])
})

it('equal texts share a request, and both have the passages', async () => {
  const { client, simulator } = await createLibraryClient({ script: () => answerWith(quote) })
  const store = memoryStore()
  const outcomes = await collectItems(summarizeAll([text, text], { client, prompt, store }))
  for (const outcome of outcomes) expect(outcome).toMatchObject({ citations: [{ quote, place: 'line 1' }] })
  expect(simulator.stats().requests).toBe(1)
})

it('every passage of a PDF that is uploaded is on its page', async () => {
  const { client } = await createLibraryClient()
  const inputs = ['fixtures/kinds', 'fixtures/documents']
  const read = (options: object) =>
    collectItems(readDocuments(inputs, { cwd: root, ext: ['pdf'], ...options }))
  const documents = await read({ pdf: 'native', citations: true })
  const texts = new Map(
    (await read({ pdf: 'text' })).map((item) => [item.id, 'text' in item ? item : undefined]),
  )
  let count = 0
  for (const outcome of await collectItems(summarizeAll(documents, { client, prompt }))) {
    const asText = texts.get(outcome.id)
    if (outcome.status !== 'summarized' || asText === undefined) continue
    for (const { quote, found, place } of outcome.citations ?? []) {
      const [, number] = /^page (\d+)/.exec(place ?? '') ?? []
      const mark = asText.marks?.find(({ kind, label }) => kind === 'page' && label === number)
      const next = asText.marks?.find(({ kind, offset }) => kind === 'page' && offset > (mark?.offset ?? 0))
      expect(asText.text.slice(mark?.offset, next?.offset)).toContain(quote)
      expect(found).toBeDefined()
      count++
    }
  }
  expect(count).toBeGreaterThan(0)
})

it('every passage that is shown is in its document, with any text, encoding and chunks', async () => {
  const { client } = await createLibraryClient()
  const words = fc.constantFrom(
    'tide',
    'Überfahrt',
    '🚢🚢',
    '潮汐',
    'прилив',
    'a\u0301b',
    '$5.00',
    '(see',
    'it)',
    '\u00ad',
  )
  const sentences = fc
    .array(words, { minLength: 4, maxLength: 12 })
    .chain((list) =>
      fc
        .constantFrom('. ', '.\n', '! ', '。', '.\r\n\r\n', '.\n\n# Part\n\n')
        .map((end) => list.join(' ') + end),
    )
  const texts = fc.array(sentences, { minLength: 20, maxLength: 200 }).map((list) => list.join(''))
  const encodings = fc.constantFrom('utf8', 'utf8-bom', 'utf16le', 'utf16be')
  let count = 0
  await fc.assert(
    fc.asyncProperty(
      texts,
      encodings,
      fc.integer({ min: 1000, max: 4000 }),
      async (text, encoding, chunkTokens) => {
        const inputs = [{ name: 'a.md', data: encodeText(text, encoding) }]
        const documents = await collectItems(readDocuments(inputs))
        const [document] = documents
        const sent = document && 'text' in document ? document.text : ''
        expect(sent).toBe(text.replaceAll('\r\n', '\n'))
        for (const outcome of await collectItems(summarizeAll(documents, { client, prompt, chunkTokens }))) {
          if (outcome.status !== 'summarized') throw new Error(outcome.status)
          for (const { quote, found, supports } of outcome.citations ?? []) {
            expect(outcome.text.slice(supports.start, supports.end)).not.toBe('')
            if (found === undefined) continue
            expect(sent.slice(found.start, found.end)).toBe(quote)
            count++
          }
        }
      },
    ),
    { numRuns: 30 },
  )
  expect(count).toBeGreaterThan(20)
})

/** Encodes a text with a byte-order mark, except for `utf8`. */
function encodeText(text: string, encoding: string): Uint8Array {
  if (encoding === 'utf8') return Buffer.from(text)
  const marked = `\ufeff${text}`
  if (encoding === 'utf8-bom') return Buffer.from(marked)
  const bytes = Buffer.from(marked, 'utf16le')
  return encoding === 'utf16le' ? bytes : bytes.swap16()
}

it('an image has no passages, and its name cannot be cited', async () => {
  const asked: unknown[] = []
  const { client } = await createLibraryClient({
    script: ({ request }) => {
      asked.push(request.citable)
      return answerWith('A harbour at dawn.')
    },
  })
  const [photo] = await collectItems(readDocuments('fixtures/kinds/image.png', { cwd: root }))
  const outcomes = await collectItems(summarizeAll(photo === undefined ? [] : [photo], { client, prompt }))
  expect(outcomes).toMatchObject([{ status: 'summarized', citations: [] }])
  expect(asked).toEqual([undefined])
})

it('a passage that is not in the text has no place, and a prompt without citations has none', async () => {
  const { client } = await createLibraryClient({
    script: () => ({ ...answerWith(quote), wrongCitations: 'absent' }) as never,
  })
  expect(await collectItems(summarizeAll([text], { client, prompt }))).toMatchObject([
    { citations: [{ supports: { start: 0 }, quote: `${quote} And more.` }] },
  ])
  const [plain] = await collectItems(
    summarizeAll([text], { client, prompt: definePrompt({ user: '{text}' }) }),
  )
  expect(plain).toMatchObject({ citations: undefined })
})

it('citations cannot be combined with a schema or with two places for the text', () => {
  const schema = { type: 'object', additionalProperties: false, properties: {} } as const
  expect(() => definePrompt({ user: '{text}', schema, citations: true })).toThrow(
    'definePrompt: `citations` cannot be combined with `schema`',
  )
  expect(() => definePrompt({ user: '{text} {text}', citations: true })).toThrow(
    'definePrompt: `user` may have {text} only once with `citations`',
  )
  expect(() => definePrompt({ user: '{text}', citations: 'yes' as never })).toThrow(TypeError)
})
