import { mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ClaudeBatchError,
  definePrompt,
  estimate,
  folderStore,
  memoryStore,
  type Outcome,
  type Store,
  summarizeAll,
} from '../../src/index.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createSeededRandom } from '../../src/simulator/seeded-random.ts'
import { answerWith, collectItems, createLibraryClient, getRejection } from '../support/library-client.ts'
import { recordDisk, replay } from '../support/power-loss.mjs'
import { createFolder } from '../support/run-cli.ts'

const byIndex = (outcomes: readonly Outcome[]) => outcomes.toSorted((a, b) => a.index - b.index)
const collect = async (outcomes: AsyncIterable<Outcome>) => byIndex(await collectItems(outcomes))
const cutOff = (text: string, stopReason: string): Behaviour => ({
  kind: 'answer',
  delayMs: 1,
  text,
  stopReason,
})
const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['port'],
  properties: { port: { type: 'string' } },
} as const

const callAsync = async (call: () => unknown) => call()

/** The values in a store that is a map. */
const values = (store: Store) => store as Map<string, string>

describe('a store', () => {
  it('keeps summaries and failures that would repeat, so that they are not paid for again', async () => {
    let isUp = false
    const { client, simulator } = await createLibraryClient(
      {
        script: ({ request }): Behaviour => {
          if (request.text.includes('secret')) return cutOff('I cannot', 'refusal')
          if (request.text.includes('endless')) return cutOff('One, two', 'max_tokens')
          if (request.text.includes('broken') && !isUp) return { kind: 'status', status: 500 }
          return answerWith('A summary.')
        },
      },
      { retries: 0 },
    )
    const store = memoryStore()
    const texts = ['A tide table.', 'A secret.', 'An endless list.', 'A broken dam.', '']
    const first = await collect(summarizeAll(texts, { client, store }))
    expect(first.map(({ status }) => status)).toEqual(['summarized', 'failed', 'failed', 'failed', 'failed'])
    expect(first.map((outcome) => 'reused' in outcome && outcome.reused)).toEqual(Array(5).fill(false))
    isUp = true
    const { requests } = simulator.stats()
    const second = await collect(summarizeAll(texts, { client, store }))
    expect(simulator.stats().requests).toBe(requests + 1)
    expect(second[3]).toMatchObject({ status: 'summarized', text: 'A summary.', reused: false })
    const free = { reused: true, attempts: 0, costUsd: 0, elapsedMs: expect.any(Number) }
    const noTokens = { usage: expect.objectContaining({ inputTokens: 0, outputTokens: 0 }) }
    const toReused = (outcome: Outcome | undefined) => ({ ...outcome, ...free, ...noTokens })
    expect(second[0]).toEqual(toReused(first[0]))
    for (const index of [1, 2]) {
      const { error, ...reused } = second[index] as Extract<Outcome, { status: 'failed' }>
      const { error: firstError, ...sent } = toReused(first[index]) as typeof reused & { error: object }
      expect(reused).toEqual(sent)
      expect(error).toEqual({ ...firstError, requestId: null })
    }
    expect(second[4]).toMatchObject({ error: { type: 'empty_text' }, reused: false })
  })

  it('sends a text again if anything that shapes the answer has changed, and only then', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('{"port":"Kiel"}') })
    const store = memoryStore()
    const user = 'Which port?\n\n{text}'
    const prompt = definePrompt({ user })
    const text = 'The ferry leaves Kiel.'
    const calls = [
      () => summarizeAll([text], { client, store }),
      () => summarizeAll([{ id: 'b.md', text }], { client, store, prompt }),
      () => summarizeAll([text], { client, store, prompt, maxTokens: 77 }),
      () => summarizeAll([text], { client, store, prompt, model: 'sonnet' }),
      () => summarizeAll([text], { client, store, prompt, effort: 'high' }),
      () => summarizeAll([`${text}.`], { client, store, prompt }),
      () => summarizeAll([text], { client, store, prompt: definePrompt({ user: `${user}!` }) }),
      () => summarizeAll([text], { client, store, prompt: definePrompt({ user, schema }) }),
    ]
    for (const [n, call] of calls.entries()) {
      await collect(call())
      expect(simulator.stats().requests).toBe(n + 1)
    }
    for (const call of calls) expect(await collect(call())).toMatchObject([{ reused: true, costUsd: 0 }])
    // The name of a text is not in this prompt.
    expect(await collect(summarizeAll([{ id: 'c', text }], { client, store, prompt }))).toMatchObject([
      { id: 'c', reused: true },
    ])
    expect(simulator.stats().requests).toBe(calls.length)
  })

  it('makes equal texts of one call share a request, whose cost counts once', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('The same.') })
    const prompt = definePrompt({ user: '{text}' })
    const texts = Array.from({ length: 5 }, (_, n) => ({ id: `copy-${n}`, text: 'One text.' }))
    const outcomes = await collect(summarizeAll(texts, { client, prompt, store: memoryStore() }))
    expect(simulator.stats().requests).toBe(1)
    expect(outcomes.map(({ attempts }) => attempts).sort()).toEqual([0, 0, 0, 0, 1])
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        text: 'The same.',
        model: 'claude-haiku-5-5',
        requestId: expect.stringMatching(/^req_sim/),
        reused: outcome.attempts === 0,
      })
  })

  it('returns the data of a stored answer, and ignores one that does not match the schema', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('{"port":"Kiel"}') })
    const store = memoryStore()
    const call = () =>
      collect(summarizeAll(['Kiel.'], { client, store, prompt: definePrompt({ user: '{text}', schema }) }))
    await call()
    expect(await call()).toMatchObject([{ data: { port: 'Kiel' }, reused: true }])
    for (const [key, value] of values(store)) values(store).set(key, value.replace('port', 'harbour'))
    expect(await call()).toMatchObject([{ data: { port: 'Kiel' }, reused: false }])
    expect(simulator.stats().requests).toBe(2)
  })

  it('counts a damaged value as missing, with any damage', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('A summary.') })
    const store = memoryStore()
    const call = () => collect(summarizeAll(['A text.'], { client, store }))
    await call()
    const [[key, value] = ['', '']] = values(store)
    let requests = 1
    const damages = fc.oneof(
      fc.string(),
      fc.json(),
      fc.nat(value.length - 1).map((length) => value.slice(0, length)),
      fc.constantFrom(
        value.replace(':1', ':2'),
        value.replace('summarized', 'failed'),
        value.replace('"A summary."', '7'),
        '{"__proto__":{}}',
      ),
    )
    await fc.assert(
      fc.asyncProperty(damages, async (damaged) => {
        values(store).set(key, damaged)
        expect(await call()).toMatchObject([{ status: 'summarized', text: 'A summary.', reused: false }])
        expect(simulator.stats().requests).toBe(++requests)
      }),
      { numRuns: 60 },
    )
  })

  it('may return promises and null, as databases do', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('A summary.') })
    const rows = new Map<string, string>()
    const store: Store = {
      get: async (key) => rows.get(key) ?? null,
      set: async (key, value) => void rows.set(key, value),
      delete: async (key) => void rows.delete(key),
    }
    for (const reused of [false, true])
      expect(await collect(summarizeAll(['A text.'], { client, store }))).toMatchObject([{ reused }])
    expect(simulator.stats().requests).toBe(1)
  })

  it('throws the error of a store, after every answer that was paid for', async () => {
    const { client, simulator } = await createLibraryClient(
      { script: () => answerWith('A summary.', 20) },
      { concurrency: 2 },
    )
    const down = new Error('the database is down')
    const read = async (store: Store) => {
      const seen: Outcome[] = []
      const loop = async () => {
        for await (const outcome of summarizeAll(['a', 'b', 'c', 'd'], { client, store })) seen.push(outcome)
      }
      return { thrown: await getRejection(loop()), seen }
    }
    const broken = (method: keyof Store): Store =>
      Object.assign(new Map<string, string>(), { [method]: () => Promise.reject(down) })
    const onSet = await read(broken('set'))
    expect(onSet.thrown).toBe(down)
    expect(onSet.seen.filter(({ status }) => status === 'summarized').length).toBe(simulator.stats().requests)
    expect(simulator.stats().requests).toBeLessThan(4)
    const { requests } = simulator.stats()
    const onGet = await read(broken('get'))
    expect(onGet.thrown).toBe(down)
    expect(onGet.seen.every(({ status }) => status === 'pending')).toBe(true)
    for (const [value, type] of [
      [7, 'Number'],
      [Buffer.from('{}'), 'Buffer'],
      [Object.create(null), 'an object'],
    ]) {
      const wrongValue = await read({ get: () => value as never, set() {}, delete() {} })
      const message = new RegExp(
        `^the store returned ${type} for result/[0-9a-f]{64}; it must return a string, null or undefined$`,
      )
      expect(wrongValue.thrown).toMatchObject({ type: 'store', message: expect.stringMatching(message) })
    }
    expect(simulator.stats().requests).toBe(requests)
  })

  it('does not delay the end of a call whose signal aborts or whose client is closed, if it never answers', async () => {
    const { client } = await createLibraryClient({ script: () => answerWith('A summary.') })
    const texts = ['a', 'b']
    for (const mode of ['live', 'batch'] as const) {
      const stop = new AbortController()
      const store: Store = {
        get() {
          stop.abort(new Error('enough'))
          return new Promise<undefined>(() => {})
        },
        set() {},
        delete() {},
      }
      const options = { client, store, mode, signal: stop.signal }
      expect(await getRejection(collect(summarizeAll(texts, options)))).toEqual(new Error('enough'))
      expect(await getRejection(estimate(texts, options))).toEqual(new Error('enough'))
    }
    for (const mode of ['live', 'batch'] as const) {
      const { client } = await createLibraryClient({ script: () => answerWith('A summary.') })
      const get = () => client.close().then(() => new Promise<undefined>(() => {}))
      const store: Store = { get, set() {}, delete() {} }
      expect(await getRejection(collect(summarizeAll(texts, { client, store, mode })))).toMatchObject({
        type: 'closed',
      })
    }
  })

  it('has the results of a loop that was left', async () => {
    const { client, simulator } = await createLibraryClient(
      { script: () => answerWith('A summary.') },
      { concurrency: 1 },
    )
    const store = memoryStore()
    for await (const _ of summarizeAll(['a', 'b', 'c'], { client, store })) break
    const stored = values(store).size
    expect(stored).toBeGreaterThan(0)
    const outcomes = await collect(summarizeAll(['a', 'b', 'c'], { client, store }))
    expect(outcomes.filter((outcome) => 'reused' in outcome && outcome.reused).length).toBe(stored)
    expect(simulator.stats().billed.requests).toBe(3)
  })

  it('is known to estimate', async () => {
    const { client } = await createLibraryClient()
    const store = memoryStore()
    const texts = ['A tide table.', 'A log of the harbour.', 'A log of the harbour.']
    expect(await estimate(texts, { client, store })).toMatchObject({ texts: 2 })
    await collect(summarizeAll(texts.slice(0, 1), { client, store }))
    expect(await estimate(texts.slice(0, 1), { client, store })).toMatchObject({
      texts: 0,
      costUsd: { high: 0 },
    })
    const { costUsd } = await estimate(texts.slice(0, 1), { client })
    expect(costUsd?.low).toBeGreaterThan(0)
  })
})

describe('folderStore', () => {
  it('keeps results in files that only their owner can read, for the next process', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('Überfahrt 🚢') })
    const folder = join(await createFolder({}), 'state/deep')
    const texts = ['a', 'b']
    await collect(summarizeAll(texts, { client, store: folderStore(folder) }))
    const outcomes = await collect(summarizeAll(texts, { client, store: folderStore(folder) }))
    expect(outcomes).toMatchObject(texts.map(() => ({ text: 'Überfahrt 🚢', reused: true })))
    expect(simulator.stats().requests).toBe(2)
    const names = await readdir(join(folder, 'result'))
    expect(names.length).toBe(2)
    for (const name of names) {
      expect(name).toMatch(/^[0-9a-f]{64}\.json$/)
      if (process.platform !== 'win32')
        expect((await stat(join(folder, 'result', name))).mode & 0o777).toBe(0o600)
    }
  })

  it('stores, replaces and removes values, in any order', async () => {
    const store = folderStore(await createFolder({}))
    const expected = new Map<string, string>()
    const change = fc.record({
      key: fc.constantFrom('batches', 'batch/0123456789abcdef', 'result/aa', 'result/ab'),
      value: fc.option(fc.string()),
    })
    await fc.assert(
      fc.asyncProperty(change, async ({ key, value }) => {
        if (value === null) expected.delete(key)
        else expected.set(key, value)
        await (value === null ? store.delete(key) : store.set(key, value))
        const changed = await store.get(key)
        // A lone surrogate cannot be stored as UTF-8.
        expect(changed).toBe(expected.get(key)?.toWellFormed())
      }),
      { numRuns: 50 },
    )
  })

  it('keeps a value in a power failure, once it is stored', async () => {
    const parent = await createFolder({})
    const store = folderStore(join(parent, 'new/store'))
    const recording = recordDisk(parent)
    for (const key of ['batches', 'result/aa', 'result/ab']) await store.set(key, `the value of ${key}`)
    recording.stop()
    for (let seed = 1; seed <= 30; seed++) {
      const left = replay(recording).afterPowerLoss(createSeededRandom(seed))
      for (const key of ['batches', 'result/aa', 'result/ab'])
        expect(left.get(`new/store/${key}.json`)?.bytes.toString()).toBe(`the value of ${key}`)
    }
  })

  it('keeps a whole value when several are written at the same time', async () => {
    const folder = await createFolder({})
    const store = folderStore(folder)
    const texts = Array.from({ length: 20 }, (_, n) => String(n).repeat(5000))
    await Promise.all(texts.map((text) => store.set('result/aa', text)))
    expect(texts).toContain(await store.get('result/aa'))
    expect(await readdir(join(folder, 'result'))).toEqual(['aa.json'])
  })

  it('uses no other file than its own, and follows no link', async () => {
    const folder = await createFolder({ 'outside/aa.json': 'private' })
    const store = folderStore(join(folder, 'state'))
    for (const key of [
      '../outside/aa',
      '/etc/passwd',
      'result/../../outside/aa',
      '',
      'result/',
      'A',
      'a\0',
      'a.b',
    ])
      for (const call of [() => store.get(key), () => store.set(key, 'x'), () => store.delete(key)])
        expect(await getRejection(callAsync(call))).toEqual(
          new TypeError('folderStore: this key cannot be a file name'),
        )
    await mkdir(join(folder, 'state'))
    await symlink(join(folder, 'outside'), join(folder, 'state/result'), 'dir')
    for (const call of [() => store.get('result/aa'), () => store.set('result/aa', 'x')]) {
      const error = await getRejection(callAsync(call))
      expect(error).toBeInstanceOf(ClaudeBatchError)
      expect(error).toMatchObject({ type: 'io_error', message: expect.stringContaining('symbolic link') })
    }
    expect(await readFile(join(folder, 'outside/aa.json'), 'utf8')).toBe('private')
    for (const path of ['', 7, undefined, 'a\0b', new URL('file:///tmp')])
      expect(() => folderStore(path as string)).toThrow(TypeError)
  })

  it('says so if its folder is a file', async () => {
    const folder = await createFolder({ state: 'a file' })
    const { client, simulator } = await createLibraryClient()
    const run = collect(summarizeAll(['a'], { client, store: folderStore(join(folder, 'state')) }))
    expect(await getRejection(run)).toMatchObject({ type: 'io_error' })
    expect(simulator.stats().requests).toBeLessThanOrEqual(1)
  })
})
