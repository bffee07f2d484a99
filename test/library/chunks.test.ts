import { describe, expect, it } from 'vitest'
import { createClient, definePrompt, estimate, memoryStore, summarizeAll } from '../../src/index.ts'
import { answerWith, collectItems, createLibraryClient } from '../support/library-client.ts'
import { startRecordingServer } from '../support/recording-server.ts'
import { createFolder, runCli } from '../support/run-cli.ts'

const chapter = (n: number, word = 'The tide turned and the ferry waited') =>
  `# Chapter ${n}\n\n${Array.from({ length: 60 }, (_, line) => `${word} at pier ${n}, line ${line}.`).join(' ')}\n`
const book = Array.from({ length: 6 }, (_, n) => chapter(n + 1)).join('\n')
const chunkTokens = 2000

describe('a long text', () => {
  it('is summarized in chunks, with the requests of the command line', async () => {
    const server = await startRecordingServer()
    const cwd = await createFolder({ 'book.md': book, 'note.md': 'A short note.' })
    const takeMessages = () => server.bodies.splice(0).map((body) => JSON.stringify(body))
    const flags = ['--chunk-tokens', String(chunkTokens), '--rpm', '60000', '-o', '-']
    await runCli(['summarize', 'book.md', 'note.md', ...flags], { cwd, env: server.env })
    const asked = takeMessages()
    expect(asked.length).toBeGreaterThan(6)

    const client = createClient({ env: server.env, rpm: 60_000 })
    const texts = [
      { id: 'book.md', text: book },
      { id: 'note.md', text: 'A short note.' },
    ]
    const outcomes = await collectItems(summarizeAll(texts, { client, chunkTokens }))
    await client.close()
    expect(takeMessages().sort()).toEqual(asked.sort())
    const whole = outcomes.find(({ id }) => id === 'book.md')
    expect(whole).toMatchObject({ status: 'summarized', attempts: asked.length - 1 })
  })

  it('is split by itself if it is longer than what the model reads at its lowest price', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('Notes.') })
    const text = 'The tide turned and the ferry waited. '.repeat(12_000)
    const [outcome] = await collectItems(summarizeAll([text], { client }))
    const { requests } = simulator.stats()
    expect(requests).toBeGreaterThan(2)
    expect(outcome).toMatchObject({ status: 'summarized', text: 'Notes.', attempts: requests })
  })

  it('costs about what estimate says', async () => {
    const { client, simulator } = await createLibraryClient()
    const { texts, inputTokens } = await estimate([book], { client, chunkTokens })
    await collectItems(summarizeAll([book], { client, chunkTokens }))
    const { billed } = simulator.stats()
    expect(texts).toBe(1)
    expect(billed.inputTokens).toBeGreaterThan(inputTokens.low)
    expect(billed.inputTokens).toBeLessThan(inputTokens.high)
  })

  it('sends only a changed chunk and the summary again, with a store', async () => {
    const { client, simulator } = await createLibraryClient()
    const store = memoryStore()
    const call = async (text: string) => {
      const before = simulator.stats().requests
      const [outcome] = await collectItems(summarizeAll([text], { client, store, chunkTokens }))
      expect(outcome).toMatchObject({ status: 'summarized' })
      return simulator.stats().requests - before
    }
    const all = await call(book)
    expect(await call(book)).toBe(0)
    expect(await call(book.replace('ferry waited at pier 3', 'lock opened at pier 3'))).toBe(2)
    expect(all).toBeGreaterThan(4)
  })

  it('keeps the chunks that were answered before one failed', async () => {
    let isUp = false
    const { client, simulator } = await createLibraryClient(
      {
        script: ({ request }) =>
          request.text.includes('pier 4, line 0.') && !isUp
            ? { kind: 'status', status: 500 }
            : answerWith('Notes.'),
      },
      { retries: 0 },
    )
    const store = memoryStore()
    const call = () => collectItems(summarizeAll([book], { client, store, chunkTokens }))
    const [failed] = await call()
    expect(failed).toMatchObject({ status: 'failed', error: { type: 'api_error', transient: true } })
    isUp = true
    const { requests } = simulator.stats()
    expect(await call()).toMatchObject([{ status: 'summarized' }])
    expect(simulator.stats().requests - requests).toBe(2)
  })

  it('names the chunk whose answer is incomplete', async () => {
    const { client } = await createLibraryClient({
      script: ({ request }) =>
        request.text.includes('pier 2, line 0.')
          ? { kind: 'answer', delayMs: 1, text: 'Half of it', stopReason: 'max_tokens' }
          : answerWith('Notes.'),
    })
    const [outcome] = await collectItems(summarizeAll([book], { client, chunkTokens }))
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { type: 'max_tokens', message: expect.stringMatching(/^chunk 3 of 10: .*raise maxTokens$/) },
      partial: 'Half ',
    })
  })

  it('uses the prompt of the call for the last request, with its schema', async () => {
    const schema = {
      type: 'object',
      additionalProperties: false,
      required: ['piers'],
      properties: { piers: { type: 'number' } },
    } as const
    const { client } = await createLibraryClient({
      script: ({ request }) => answerWith(request.schema === undefined ? 'Notes.' : '{"piers":6}'),
    })
    const prompt = definePrompt({ user: 'Count the piers.\n\n{text}', schema })
    const outcomes = await collectItems(summarizeAll([book], { client, prompt, chunkTokens }))
    expect(outcomes).toMatchObject([{ status: 'summarized', data: { piers: 6 } }])
  })

  it('is a failure before anything is sent if it is a PDF with too many pages', async () => {
    const { client, simulator } = await createLibraryClient()
    const upload = { type: 'pdf', base64: 'JVBERi0=', pages: 900 } as const
    const texts = [{ id: 'scan.pdf', text: '[A PDF.]', upload }]
    expect(await collectItems(summarizeAll(texts, { client }))).toMatchObject([
      {
        status: 'failed',
        error: { type: 'too_large', message: expect.stringContaining('its 900 pages do not fit') },
        attempts: 0,
      },
    ])
    expect(simulator.stats().requests).toBe(0)
  })
})
