import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createClient, definePrompt, loadPrompt, summarizeAll } from '../../src/index.ts'
import { createLibraryClient, getRejection } from '../support/library-client.ts'

const secret = 'sk-ant-secret'
const user = '{text}'

/** Values of all types, without those that are valid for an argument. */
const not = (...valid: readonly string[]) =>
  fc.oneof(...Object.entries(values).flatMap(([type, value]) => (valid.includes(type) ? [] : [value])))
const values = {
  text: fc.constantFrom(secret, 'x', '0'),
  empty: fc.constantFrom('', ' '),
  number: fc.double({ noDefaultInfinity: true, noNaN: true, min: 1, max: 100, noInteger: false }),
  'wrong number': fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, -0.5),
  boolean: fc.boolean(),
  null: fc.constant(null),
  list: fc.constantFrom([], [secret]),
  object: fc.constantFrom({}),
  function: fc.constant(() => secret),
  symbol: fc.constant(Symbol('x')),
  bigint: fc.constant(1n),
  promise: fc.constant(Promise.resolve(secret)),
  map: fc.constant(new Map([['a', secret]])),
  signal: fc.constant(new AbortController().signal),
  date: fc.constant(new Date(0)),
} as const

const settings = {
  model: not('text'),
  maxTokens: not('number'),
  effort: not(),
}
/** An unknown name, or a wrong value of a known one. */
const wrongOptions = (known: Record<string, fc.Arbitrary<unknown>>) =>
  fc.oneof(
    ...Object.entries(known).map(([name, value]) =>
      value.map((value) => ({ name, options: { [name]: value } as object })),
    ),
    fc
      .constantFrom('apiKey', 'max_tokens', 'temperature', 'then', '__proto__x')
      .map((name) => ({ name, options: { [name]: 'x' } as object })),
    not('object').map((options) => ({ name: 'options', options: options as object })),
  )

/** The functions: wrong arguments for each, with the names that the message must contain. */
const calls = {
  createClient: wrongOptions({
    ...settings,
    ...Object.fromEntries(
      ['rpm', 'itpm', 'otpm', 'latencyMs', 'concurrency', 'retries', 'maxWaitMs', 'timeoutMs'].map((name) => [
        name,
        not('number'),
      ]),
    ),
    maxCostUsd: not('number'),
    connectTimeoutMs: not('number'),
    prices: fc.oneof(not('object'), fc.constant({ haiku: { input: 1, output: 1, cacheWrite: 1 } })),
    signal: not('signal'),
    client: not(),
    fetch: not('function'),
    onRetry: not('function'),
    onPause: not('function'),
    env: fc.oneof(not('object'), fc.constant({ ANTHROPIC_API_KEY: 3 })),
    allowHttp: fc.oneof(not('list'), fc.constant([3])),
  }).map(({ name, options }) => ({ name, call: () => createClient(options) })),

  definePrompt: wrongOptions({
    ...settings,
    user: not(),
    system: not('text').filter((value) => value !== undefined),
    schema: not(),
    vars: fc.oneof(not('object'), fc.constant({ x: 3 })),
  }).map(({ name, options }) => ({
    name,
    call: () =>
      definePrompt(
        typeof options === 'object' && name !== 'options' ? { user, ...options } : (options as never),
      ),
  })),
} as const

for (const [caller, wrong] of Object.entries(calls))
  it(`a wrong argument of ${caller} is a TypeError that names the argument and shows no value`, () => {
    fc.assert(
      fc.property(wrong, ({ name, call }) => {
        const error = catchError(call)
        expect([name, error]).toEqual([name, expect.any(TypeError)])
        expect((error as Error).message).toMatch(new RegExp(`^${caller}\\b.*\\b${name}\\b`))
        expect((error as Error).message).not.toContain(secret)
      }),
      { numRuns: 500 },
    )
  })

it('a wrong argument of a call is a TypeError that names the argument, and sends nothing', async () => {
  const { client, simulator } = await createLibraryClient()
  const options = wrongOptions({ ...settings, signal: not('signal') })
  const listeners = not('function').map((onProgress) => ({
    name: 'onProgress',
    values: [[], { client, onProgress }],
  }))
  const questions = fc.oneof(
    not('text').map((prompt) => ({ name: 'prompt', prompt })),
    fc.constantFrom(
      { name: 'system', prompt: { user: 'x', system: 3 } },
      { name: 'user', prompt: { system: 'x' } },
      { name: 'schema', prompt: { user: 'x', schema: { type: 'string' } } },
      { name: 'temperature', prompt: { user: 'x', temperature: 1 } },
      { name: 'summarizeAll', prompt: definePrompt({ user }) },
    ),
  )
  const asks = fc.oneof(
    questions.map(({ name, prompt }) => ({ name, values: [prompt] })),
    options.map(({ name, options }) => ({ name, values: ['x', options] })),
  )
  const prompts = not('object', 'map', 'signal', 'date').filter((prompt) => prompt !== undefined)
  const textOptions = wrongOptions({
    mode: not().filter((value) => value !== undefined),
    store: not('map'),
    chunkTokens: fc.oneof(not('number'), fc.constantFrom(1, 999, 1000.5, 1_000_001)),
    wait: not('boolean').filter((value) => value !== undefined),
  })
  const alls = fc.oneof(
    listeners,
    textOptions
      .filter(({ name }) => name !== 'options')
      .map(({ name, options }) => ({ name, values: [[], { client, ...options }] })),
    fc.constantFrom(
      { name: 'store', values: [[], { client, mode: 'batch' }] },
      { name: 'wait', values: [[], { client, wait: false }] },
    ),
    not('list', 'map').map((texts) => ({ name: 'texts', values: [texts, { client }] })),
    prompts.map((prompt) => ({ name: 'prompt', values: [[], { client, prompt }] })),
    fc
      .constantFrom(
        { user },
        {},
        definePrompt,
        { ...definePrompt({ user }), model: 3 },
        { ...definePrompt({ user }), schema: 'x' },
        { user: [{}] },
      )
      .map((prompt) => ({ name: 'prompt', values: [[], { client, prompt }] })),
    not().map((client) => ({ name: 'client', values: [[], { client }] })),
    options
      .filter(({ name }) => name !== 'options')
      .map(({ name, options }) => ({ name, values: [[], { client, ...options }] })),
    fc.constantFrom([[]], [[], null], [[], 'x'], [[], client]).map((values) => ({ name: 'client', values })),
  )
  const check = async (
    caller: string,
    { name, values }: { name: string; values: readonly unknown[] },
    call: (...values: never[]) => unknown,
  ) => {
    const thrown = catchError(() => call(...(values as never[])))
    const error = thrown instanceof Promise ? await getRejection(thrown) : thrown
    expect([caller, name, error]).toEqual([caller, name, expect.any(TypeError)])
    expect((error as Error).message).toMatch(new RegExp(`^${caller}\\b.*\\b${name}\\b`))
    expect((error as Error).message).not.toContain(secret)
  }
  await fc.assert(
    fc.asyncProperty(asks, alls, async (ask, all) => {
      await check('complete', ask, (...values: Parameters<typeof client.complete>) =>
        client.complete(...values),
      )
      await check('stream', ask, (...values: Parameters<typeof client.stream>) => client.stream(...values))
      await check('summarizeAll', all, summarizeAll)
    }),
    { numRuns: 500 },
  )
  expect(simulator.stats().requests).toBe(0)
})

it.each([
  [
    ['sk-ant-secret'],
    'createClient: options must be an object; credentials and the base URL come from the environment (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL)',
  ],
  [
    [[]],
    'createClient: options must be an object; credentials and the base URL come from the environment (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL)',
  ],
])('createClient(%j) is a TypeError that says where credentials come from', ([options], message) => {
  expect(() => createClient(options as never)).toThrow(new TypeError(message))
})

it('a prompt that was not awaited, or not loaded, is a TypeError that says so', async () => {
  const { client } = await createLibraryClient()
  const summarize = (prompt: unknown) => () => summarizeAll([], { client, prompt: prompt as never })
  const loading = loadPrompt('summarize')
  expect(summarize(loading)).toThrow(
    'summarizeAll: prompt is a promise; did you forget `await` before loadPrompt?',
  )
  expect(summarize('summarize')).toThrow(
    "summarizeAll: prompt is a text; use await loadPrompt('name') or definePrompt({ user })",
  )
  expect(summarize({ user })).toThrow('summarizeAll: prompt is not checked; pass it to definePrompt')
  expect(await getRejection(client.complete(loading as never))).toEqual(
    new TypeError('complete: prompt is a promise; did you forget `await`?'),
  )
  await loading
})

it('a setting that the model of a call does not accept is a TypeError', async () => {
  const { client, simulator } = await createLibraryClient({}, { effort: 'low' })
  const message = 'effort low: claude-haiku-4-5 accepts none'
  const options = { model: 'claude-haiku-4-5' }
  expect(await getRejection(client.complete('x', options))).toEqual(new TypeError(`complete: ${message}`))
  expect(() => client.stream('x', options)).toThrow(new TypeError(`stream: ${message}`))
  expect(() => summarizeAll([], { client, ...options })).toThrow(new TypeError(`summarizeAll: ${message}`))
  expect(simulator.stats().requests).toBe(0)
})

it('a wrong argument of loadPrompt is a TypeError that names it', async () => {
  const loads: [unknown, unknown, RegExp][] = [
    [3, {}, /^loadPrompt: expected the name/],
    ['', {}, /^loadPrompt: expected the name/],
    ['summarize', 'v1', /^loadPrompt: options must be an object$/],
    ['summarize', { var: {} }, /^loadPrompt has no option var$/],
    ['summarize', { vars: 'x' }, /^loadPrompt: vars must be an object of texts$/],
    ['summarize', { cwd: 3 }, /^loadPrompt: cwd must be the path of a folder$/],
  ]
  for (const [spec, options, message] of loads) {
    const error = await getRejection(loadPrompt(spec as never, options as never))
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toMatch(message)
  }
})

function catchError(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error
  }
}
