import { expect, it } from 'vitest'
import { definePrompt, memoryStore, summarizeAll } from '../../src/index.ts'
import { answerWith, collectItems, createLibraryClient } from '../support/library-client.ts'

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
