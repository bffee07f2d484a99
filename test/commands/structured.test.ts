import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['title', 'topics', 'language', 'pages'],
  properties: {
    title: { type: 'string', description: 'in at most ten words' },
    topics: { type: 'array', items: { $ref: '#/$defs/topic' } },
    language: { enum: ['en', 'de'] },
    pages: { type: ['integer', 'null'] },
  },
  $defs: {
    topic: {
      type: 'object',
      additionalProperties: false,
      required: ['name'],
      properties: { name: { type: 'string' } },
    },
  },
}
const files = {
  'docs/a.md': 'The ferry sails at nine.\n',
  'docs/b.md': 'The mill is older than the bridge.\n',
}

describe('--schema', () => {
  it('writes one matching JSON object per document to a .summary.json file, and is resumable', async () => {
    const cwd = await createFolder({ ...files, 's.json': JSON.stringify(schema) })
    const { env, simulator } = await startService({})
    const run = (...more: string[]) =>
      runInProcess(['summarize', 'docs', '--schema', 's.json', ...more], { cwd, env })
    expect((await run()).code).toBe(0)
    const a = JSON.parse(await readFile(join(cwd, 'summaries/docs/a.md.summary.json'), 'utf8'))
    expect(a).toMatchObject({ title: expect.stringContaining('ferry'), language: 'en' })
    expect(Object.keys(a)).toEqual(['title', 'topics', 'language', 'pages'])
    expect((await run()).stderr).toMatch(/2 skipped \(2 unchanged\)/)
    expect((await run('-o', 'summaries', '--ext', 'json,md')).stderr).not.toMatch(/summary\.json/)
    expect(simulator.stats().requests).toBe(2)
    const { stdout } = await run('-o', '-', '--format', 'jsonl')
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ summary }) => summary.language)).toEqual(['en', 'en'])
  })

  it('changes nothing but the white space between the tokens of a reply in any output', async () => {
    const any = {
      type: 'object',
      additionalProperties: false,
      required: ['id'],
      properties: { id: { type: 'integer' }, score: { type: 'number' }, '2': {}, '1': {}, note: {} },
    }
    const answer =
      '{\n  "id": 9007199254740993,\n  "score": 1e400,\n  "note": "\\ud800 \u2028\\/",\n  "2": 1.0, "1": -0,\n  "note": "again"\n}\n'
    const line =
      '{"id":9007199254740993,"score":1e400,"note":"\\ud800 \u2028\\/","2":1.0,"1":-0,"note":"again"}'
    const cwd = await createFolder({ 'docs/a.md': 'The ferry sails.\n', 's.json': JSON.stringify(any) })
    const asked: string[] = []
    const { env } = await startService({
      script({ request }) {
        asked.push(request.text)
        return { kind: 'answer', delayMs: 1, text: answer }
      },
    })
    const run = (...more: string[]) =>
      runInProcess(['summarize', 'docs', '--schema', 's.json', ...more], { cwd, env })
    const { stdout } = await run('-o', '-', '--format', 'jsonl')
    expect(stdout.split('\n')).toHaveLength(2)
    expect(stdout).toContain(`"status":"summarized","summary":${line},"model":`)
    expect((await run('-o', '-')).stdout).toBe(answer)

    expect((await run('--report', 'r.html', '--digest', 'digest.md')).code).toBe(0)
    expect(await readFile(join(cwd, 'summaries/docs/a.md.summary.json'), 'utf8')).toBe(answer)
    expect(asked.at(-1)).toContain(answer.trim())
    const [, data = '[]'] =
      /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(
        await readFile(join(cwd, 'r.html'), 'utf8'),
      ) ?? []
    expect(data).toContain('9007199254740993')
    expect(data).toContain('1e400')
  })

  it('sends documents again with another schema, but not after a change of its formatting', async () => {
    const cwd = await createFolder({
      ...files,
      's.json': JSON.stringify(schema),
      't.json': JSON.stringify({ ...schema, required: ['title'] }),
      'u.json': JSON.stringify(schema, null, 4),
    })
    const { env, simulator } = await startService({})
    const run = (name: string) =>
      runInProcess(['summarize', 'docs', '--schema', name, '--redo', 'settings'], { cwd, env })
    for (const [name, asked] of [
      ['s.json', 2],
      ['u.json', 2],
      ['t.json', 4],
    ] as const) {
      expect((await run(name)).code).toBe(0)
      expect([name, simulator.stats().requests]).toEqual([name, asked])
    }
  })

  it('rejects a reply that does not match the schema, and saves its text in the error record', async () => {
    const cwd = await createFolder({ ...files, 's.json': JSON.stringify(schema) })
    const answers: Behaviour[] = [
      { kind: 'answer', delayMs: 1, content: [{ type: 'text', text: 'No JSON at all.' }] },
      { kind: 'answer', delayMs: 1, content: [{ type: 'text', text: '{"title": 7}' }] },
    ]
    const { env } = await startService({ script: () => answers.shift() ?? { kind: 'answer', delayMs: 1 } })
    const { code, stderr } = await runInProcess(
      ['summarize', 'docs', '--schema', 's.json', '--concurrency', '1'],
      { cwd, env },
    )
    expect(code).toBe(1)
    expect(stderr).toContain('docs/a.md: the answer is not JSON')
    expect(stderr).toMatch(/docs\/b\.md: the answer does not fit the schema: it must have required property/)
    expect(await readFile(join(cwd, 'summaries/docs/a.md.error.txt'), 'utf8')).toContain('No JSON at all.')
  })

  it('applies to batches and long documents, too', async () => {
    const long = Array.from(
      { length: 12 },
      (_, n) => `# Chapter ${n}\n\n${'Of ports and of weather. '.repeat(80)}\n\n`,
    )
    const cwd = await createFolder({
      ...files,
      'docs/long.md': long.join(''),
      's.json': JSON.stringify(schema),
    })
    const { env, simulator } = await startService({ batches: { durationMs: 50 } })
    const args = ['summarize', 'docs', '--schema', 's.json', '--batch', '--chunk-tokens', '1600']
    expect((await runInProcess(args, { cwd, env, clockSpeed: 100 })).code).toBe(0)
    for (const name of ['a', 'b', 'long'])
      expect(
        JSON.parse(await readFile(join(cwd, `summaries/docs/${name}.md.summary.json`), 'utf8')),
      ).toHaveProperty('title')
    expect(simulator.stats().batchBilled.requests).toBe(1)
  })

  it('counts the size of the schema in the estimate, in --confirm-above and in --max-cost', async () => {
    const large = { ...schema, description: 'A word about what is wanted. '.repeat(1000) }
    const cwd = await createFolder({ ...files, 's.json': JSON.stringify(large) })
    const { env, simulator } = await startService({})
    const run = (...more: string[]) =>
      runInProcess(['summarize', 'docs', '--schema', 's.json', ...more], { cwd, env })
    // Without the schema, the two documents would cost a tenth of the threshold.
    expect(await run('--confirm-above', '0.002')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--confirm-above'),
    })
    expect(await run('--max-cost', '0.0011')).toMatchObject({ code: 5 })
    expect(simulator.stats().requests).toBe(0)
    await run('--dry-run', '--report', 'e.json')
    const { input_tokens: expected } = JSON.parse(await readFile(join(cwd, 'e.json'), 'utf8'))
    expect((await run()).code).toBe(0)
    const { inputTokens } = simulator.stats().billed
    expect(inputTokens).toBeGreaterThan(expected.low)
    expect(inputTokens).toBeLessThan(expected.high)
  })

  it.each<[string, unknown, RegExp]>([
    ['a type other than object', { type: 'array', items: {} }, /its `type` must be object/],
    [
      'minimum',
      { ...schema, properties: { n: { type: 'number', minimum: 1 } }, required: ['n'] },
      /at \/properties\/n: the API does not support `minimum`/,
    ],
    [
      'open objects',
      { type: 'object', properties: {} },
      /at the top: the API requires `"additionalProperties": false`/,
    ],
    [
      'recursion',
      { ...schema, $defs: { topic: { anyOf: [{ $ref: '#/$defs/topic' }] } } },
      /does not support a schema that refers to itself/,
    ],
    [
      'files elsewhere',
      { ...schema, properties: { x: { $ref: 'https://example.com/x.json' } } },
      /a `\$ref` only to `#\/\$defs\/…`/,
    ],
    ['a missing definition', { ...schema, $defs: {} }, /there is no #\/\$defs\/topic/],
    [
      'too many choices',
      {
        ...schema,
        required: [],
        properties: Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`p${n}`, { type: 'string' }])),
      },
      /25 properties are optional, more than 24/,
    ],
    ['an invalid keyword value', { ...schema, required: 'title' }, /--schema s\.json: /],
  ])('rejects a schema with %s before any request', async (_what, wrong, message) => {
    const cwd = await createFolder({ ...files, 's.json': JSON.stringify(wrong) })
    const { env, simulator } = await startService({})
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--schema', 's.json'], { cwd, env })
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    expect(simulator.stats().requests).toBe(0)
  })

  it('is a usage error if the file is missing or not JSON, or with --front-matter', async () => {
    const cwd = await createFolder({ ...files, 's.json': '{', 't.json': JSON.stringify(schema) })
    const run = (...args: string[]) =>
      runInProcess(['summarize', 'docs', '--simulate', '--schema', ...args], { cwd })
    expect(await run('none.json')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--schema none.json: cannot read it: '),
    })
    expect(await run('s.json')).toMatchObject({ code: 2, stderr: expect.stringContaining('it is not JSON') })
    expect(await run('t.json', '--front-matter')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--front-matter'),
    })
  })
})

describe('a prompt with a `schema:`', () => {
  const yaml = (body: string) => `versions:
  v1:
    user_template: "{text} What is it about?"
  v2:
    user_template: "{text} What is it about?"
    schema:
${body}`
  const good = `      type: object
      additionalProperties: false
      required: [title]
      properties:
        title: { type: string }
`

  it('returns matching JSON for that version only', async () => {
    const cwd = await createFolder({ ...files, 'prompts/facts.yaml': yaml(good) })
    const { env } = await startService({})
    const run = (...args: string[]) => runInProcess(['summarize', 'docs', ...args], { cwd, env })
    expect((await run('--prompt', 'facts')).code).toBe(0)
    const a = JSON.parse(await readFile(join(cwd, 'summaries/docs/a.md.summary.json'), 'utf8'))
    expect(Object.keys(a)).toEqual(['title'])
    expect((await run('--prompt', 'facts@v1', '-o', 'text')).code).toBe(0)
    expect(await readFile(join(cwd, 'text/docs/a.md.summary.md'), 'utf8')).toMatch(/^\[simulated\]/)
    const shown = await runInProcess(['prompts', 'show', 'facts'], { cwd })
    expect(shown.stdout).toContain('--- schema\n{\n  "type": "object"')
    expect(await run('--prompt', 'facts@v1=50,v2=50')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('some of these versions have a schema and some have none'),
    })
    expect(await run('--prompt', 'facts', '--front-matter')).toMatchObject({ code: 2 })
  })

  it('is checked with the prompt, by line and column', async () => {
    const cwd = await createFolder({
      ...files,
      'prompts/facts.yaml': yaml(good.replace('      additionalProperties: false\n', '')),
    })
    const { code, stdout } = await runInProcess(['prompts', 'check'], { cwd })
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(
        /prompts\/facts\.yaml:7:\d+: `schema` of v2: at the top: the API requires `"additionalProperties": false`/,
      ),
    ])
  })
})
