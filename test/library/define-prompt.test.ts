import { describe, expect, expectTypeOf, it } from 'vitest'
import { createClient, definePrompt, loadPrompt, type Outcome, summarizeAll } from '../../src/index.ts'
import { answerWith, collectItems, createLibraryClient, getRejection } from '../support/library-client.ts'
import { startRecordingServer } from '../support/recording-server.ts'
import { createFolder } from '../support/run-cli.ts'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['title', 'tags'],
  properties: {
    title: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
    year: { type: ['integer', 'null'] },
    kind: { enum: ['report', 'letter'] },
  },
} as const

interface Facts {
  title: string
  tags: string[]
  year?: number | null
  kind?: 'report' | 'letter'
}

describe('definePrompt', () => {
  it('returns what loadPrompt returns for a file with the same fields', async () => {
    const vars = { audience: '{text} & nurses' }
    const cwd = await createFolder({
      'mine.yaml': `versions:
  v1:
    system: You write for {audience}.
    user_template: "{text} {{json}} {title}"
    model: sonnet
    max_tokens: 300
    effort: low
    schema: ${JSON.stringify(schema)}
`,
    })
    const prompt = definePrompt({
      system: 'You write for {audience}.',
      user: '{text} {{json}} {title}',
      model: 'sonnet',
      maxTokens: 300,
      effort: 'low',
      schema,
      vars,
    })
    const place = { name: 'mine', origin: './mine.yaml', why: 'latest' }
    expect({ ...prompt, ...place }).toEqual(await loadPrompt('./mine.yaml', { cwd, vars }))
  })

  it('sends the same request as a prompt from a file', async () => {
    const { bodies, env } = await startRecordingServer()
    await using client = createClient({ env })
    const prompt = definePrompt({ user: 'Translate {text} into {language}.', vars: { language: 'German' } })
    await collectItems(summarizeAll(['The tide is high.'], { client, prompt }))
    expect(bodies).toMatchObject([
      {
        messages: [{ content: expect.stringMatching(/^Translate .*The tide is high\..* into German\.$/s) }],
      },
    ])
  })

  it.each([
    [{}, '`user`'],
    [{ user: '' }, '`user` must be a text'],
    [{ user: 'Summarize.' }, '`user` has no {text}, the placeholder for the document'],
    [{ user: '{text' }, '`user` has a lone {'],
    [{ user: '{text}', system: '{text}' }, '`system` has an unknown placeholder {text}'],
    [{ user: '{text} {audience}' }, '`user` has an unknown placeholder {audience}'],
    [{ user: '{text}', vars: { tone: 'dry' } }, 'vars: tone: the prompt has no placeholder {tone}'],
    [{ user: '{text} {tone}', vars: { tone: 3 } }, 'vars: tone must be a text'],
    [{ user: '{text}', vars: ['x'] }, 'vars must be an object of texts'],
    [{ user: '{text}', user_template: 'x' }, 'has no option user_template'],
    [{ user: '{text}', model: 3 }, 'model must be a name'],
    [{ user: '{text}', maxTokens: 1.5 }, 'maxTokens must be a whole number'],
    [
      { user: '{text}', model: 'haiku', maxTokens: 999_999 },
      '`maxTokens` must be a whole number of at least 1 and at',
    ],
    [{ user: '{text}', effort: 'huge' }, 'effort must be one of low'],
    [{ user: '{text}', schema: 'x' }, 'schema must be a JSON Schema object'],
    [{ user: '{text}', schema: { type: 'array' } }, '`schema`: its `type` must be object'],
    [
      { user: '{text}', schema: { type: 'object' } },
      '`schema`: at the top: the API requires `"additionalProperties": false`',
    ],
    ['{text}', 'options must be an object'],
    [Promise.resolve({}), 'options must be an object'],
  ])('throws a TypeError for %j that names the mistake', (fields, message) => {
    const define = () => definePrompt(fields as never)
    expect(define).toThrow(TypeError)
    expect(define).toThrow(`definePrompt`)
    expect(define).toThrow(message)
  })

  it('rejects a schema that is not JSON', () => {
    const cyclic: Record<string, unknown> = { type: 'object' }
    cyclic['properties'] = { cyclic }
    for (const schema of [cyclic, { type: 'object', default: 1n }])
      expect(() => definePrompt({ user: '{text}', schema })).toThrow('schema is not JSON')
  })
})

describe('a schema', () => {
  it('gives each outcome its data, whose type TypeScript derives', async () => {
    const { client } = await createLibraryClient({
      script: () => answerWith('{"title": "Tides", "tags": ["sea"], "year": null}'),
    })
    const prompt = definePrompt({ user: '{text}', schema })
    for await (const outcome of summarizeAll(['The tide is high.'], { client, prompt })) {
      if (outcome.status !== 'summarized') throw new Error(outcome.status)
      expectTypeOf(outcome.data).toExtend<Facts>()
      expectTypeOf<Facts>().toExtend<typeof outcome.data>()
      expect(outcome.data).toEqual({ title: 'Tides', tags: ['sea'], year: null })
      expect(JSON.parse(outcome.text)).toEqual(outcome.data)
    }
  })

  it('may have a type that the caller names', async () => {
    const wide: Record<string, unknown> = schema
    expectTypeOf(definePrompt<Facts>({ user: '{text}', schema })).toExtend<
      Parameters<typeof summarizeAll<Facts>>[1]['prompt']
    >()
    const { client } = await createLibraryClient()
    const prompt = definePrompt<Facts>({ user: '{text}', schema: wide })
    const outcomes: Outcome<Facts>[] = await collectItems(summarizeAll(['A text.'], { client, prompt }))
    const [outcome] = outcomes
    if (outcome?.status !== 'summarized') throw new Error(outcome?.status)
    expect(typeof outcome.data.title).toBe('string')
    // @ts-expect-error: the type of the data has no such field
    expect(outcome.data.titel).toBeUndefined()
    const asked = await client.complete<Facts>({ user: 'x', schema: wide })
    expect(Array.isArray(asked.data.tags)).toBe(true)
  })

  it('of a prompt file is used too', async () => {
    const cwd = await createFolder({
      'facts.yaml': `versions: { v1: { user_template: "{text}", schema: ${JSON.stringify(schema)} } }`,
    })
    const { client } = await createLibraryClient({ script: () => answerWith('{"title": "a", "tags": []}') })
    const prompt = await loadPrompt<Facts>('./facts.yaml', { cwd })
    expect(await collectItems(summarizeAll(['A text.'], { client, prompt }))).toMatchObject([
      { status: 'summarized', data: { title: 'a', tags: [] } },
    ])
  })

  it.each([
    ['{"title": "a"}', /^the answer does not fit the schema: it must have required property 'tags'$/],
    ['Here it is: {}', /^the answer is not JSON$/],
  ])('makes the answer %s a failure, as on the command line', async (answer, message) => {
    const { client } = await createLibraryClient({ script: () => answerWith(answer) })
    const prompt = definePrompt({ user: '{text}', schema })
    const [outcome] = await collectItems(summarizeAll(['A text.'], { client, prompt }))
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { type: 'schema', message: expect.stringMatching(message), transient: false },
      partial: answer,
    })
    const error = await getRejection(client.complete({ user: 'x', schema }))
    expect(error).toMatchObject({ name: 'ClaudeBatchError', type: 'schema', partial: answer, attempts: 1 })
  })

  it('gives an answer of complete and stream its data', async () => {
    const { client, simulator } = await createLibraryClient({
      script: () => answerWith('{"title": "a", "tags": []}'),
    })
    const { data } = await client.complete({ user: 'What is in here?', schema })
    expectTypeOf(data.tags).toEqualTypeOf<string[]>()
    expect(data).toEqual({ title: 'a', tags: [] })
    const { data: streamed } = await client.stream({ user: 'What is in here?', schema }).result
    expectTypeOf(streamed.title).toEqualTypeOf<string>()
    expect(streamed).toEqual(data)
    expect((await client.complete('What?')).data).toBeUndefined()
    expect(simulator.stats().requests).toBe(3)
  })

  it('that only the validator refuses is an error before any request', async () => {
    const { client, simulator } = await createLibraryClient()
    const prompt = definePrompt({ user: '{text}', schema: { ...schema, required: 'title' } })
    const configuration = { type: 'configuration', message: expect.stringContaining('schema') }
    expect(await getRejection(collectItems(summarizeAll(['A text.'], { client, prompt })))).toMatchObject(
      configuration,
    )
    expect(simulator.stats().requests).toBe(0)
  })
})
