import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { checkOptions } from '../../src/library/client-options.ts'
import { checkReadOptions } from '../../src/library/read-documents-options.ts'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { readCodeBlocks } from '../support/code-blocks.ts'
import { installPacked } from '../support/packed-package.ts'
import { createFolder, startService } from '../support/run-cli.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const page = await readFile(join(root, 'docs/library.md'), 'utf8')
const examples = [
  ...(await readCodeBlocks('library.md', 'js')),
  ...(await readCodeBlocks('library.md', 'ts')),
]
const [example = ''] = examples

/** A TypeScript caller that uses every export, with two mistakes marked as expected errors. */
const caller = `
import { ClaudeBatchError, createClient, definePrompt, estimate, folderStore, loadPrompt, memoryStore, summarizeAll } from 'claude-batch'
import type { Estimate, EstimateRange, Pause, Progress, Retry, Totals } from 'claude-batch'
import type { CallOptions, Client, ClientOptions, Completion, Effort, FailedText, LoadPromptOptions } from 'claude-batch'
import type { Outcome, PendingText, Problem, Prompt, PromptFields, Question, QuestionFields, SchemaPromptFields, SchemaQuestion } from 'claude-batch'
import type { Spending, Store, SummarizeAllOptions, SummarizedText, SummarizeOptions, Text, TextStream, UnreadableText, Upload, Usage } from 'claude-batch'
import type { Fetch, JsonSchema, SchemaData, Template, Texts } from 'claude-batch'
import { readDocuments } from 'claude-batch/documents'
import type { DocumentData, DocumentInput, DocumentInputs, NamedText } from 'claude-batch/documents'
import type { ReadDocumentsOptions, SkippedDocuments } from 'claude-batch/documents'

const options: ClientOptions = {
  rpm: 60, effort: 'low' satisfies Effort, signal: undefined, onPause: ({ waitMs }: Pause) => waitMs,
  onRetry: async ({ error }: Retry) => { error satisfies Problem },
}
const client: Client = createClient(options)
const question: Question = { user: 'x', system: undefined } satisfies QuestionFields
const asking: CallOptions = { signal: AbortSignal.timeout(1) }
const completion: Completion = await client.complete(question, asking)
const usage: Usage | null = completion.usage
const stream: TextStream = client.stream('x')
for await (const piece of stream) piece satisfies string
const loading: LoadPromptOptions = { vars: { a: 'b' } }
const prompt: Prompt = await loadPrompt('summarize@v1', loading)
interface Entry { vessel: string }
const fields: PromptFields<undefined> = { user: '{text}', system: undefined, schema: undefined }
definePrompt(fields) satisfies Prompt<undefined>
const schema: object = { type: 'object' }
const withSchema: SchemaPromptFields = { user: '{text}', schema }
const typed: Prompt<Entry> = definePrompt<Entry>(withSchema)
typed.user satisfies Template
const label = { type: 'string' } as const satisfies JsonSchema
'a' satisfies SchemaData<typeof label>
const asked: SchemaQuestion = { user: 'x', schema }
;(await client.complete<Entry>(asked)).data.vessel satisfies string
const inferred = await client.stream({ user: 'x', schema: { type: 'object', required: ['a'], properties: {
  a: { type: 'array', items: { enum: ['b', 'c'] } }, d: { anyOf: [{ type: 'number' }, { const: 'e' }] },
} } }).result
inferred.data satisfies { a: ('b' | 'c')[]; d?: number | 'e' }
for await (const outcome of summarizeAll(['a'], { client, prompt: typed, model: 'opus' }))
  if (outcome.status === 'summarized') outcome.data.vessel satisfies string
async function* texts(): AsyncGenerator<string | Text> {
  yield 'a'
  yield { id: 'b', text: 'c' }
}
const all: SummarizeAllOptions = { client, prompt, onProgress: (progress: Progress) => progress satisfies Totals }
const source: Texts = texts()
const estimating: SummarizeOptions = { client, prompt }
const guess: Estimate = await estimate(source, estimating)
createClient({ fetch: undefined satisfies Fetch | undefined })
const store: Store = new Map()
summarizeAll(['a'], { ...all, store, chunkTokens: 1000, mode: 'batch', wait: false })
summarizeAll(['a'], { client, store: folderStore('./state') satisfies Store }); memoryStore() satisfies Store
guess.costUsd satisfies EstimateRange | null
client.getTotals().remainingUsd satisfies number | null
const took = ({ costUsd, usage, lostReplies }: Spending) => [costUsd, usage, lostReplies]
const told = (outcome: Outcome): string => {
  took(outcome)
  switch (outcome.status) {
    case 'summarized':
      return (outcome satisfies SummarizedText).text
    case 'failed':
      return (outcome satisfies FailedText).error.message
    case 'pending':
      return (outcome satisfies PendingText).reason
  }
}
for await (const outcome of summarizeAll(texts(), all)) told(outcome)
const data: DocumentData = { name: 'a.pdf', data: new Uint8Array(1) }
const inputs: DocumentInputs = [data satisfies DocumentInput, './docs']
const onSkip = ({ ids }: SkippedDocuments) => ids satisfies readonly string[]
const reading: ReadDocumentsOptions = { ext: ['md'], onSkip, signal: AbortSignal.timeout(1) }
for await (const document of readDocuments(inputs, reading)) {
  if ('error' in document) (document satisfies UnreadableText).error satisfies Problem
  else (document satisfies NamedText).upload satisfies Upload | undefined
}
for await (const outcome of summarizeAll(readDocuments('./docs'), { client })) told(outcome)
for await (const outcome of summarizeAll(new Set(['a']), { client })) told(outcome)
await using own = createClient()
try {
} catch (error) {
  if (error instanceof ClaudeBatchError) (error satisfies Problem).partial satisfies string | null
}
export { own, usage }
// @ts-expect-error: an API key is not an option
createClient({ apiKey: 'x' })
// @ts-expect-error: the schema has no such property
inferred.data.b
// @ts-expect-error: an answer without a schema has no data
;(await client.complete('x')).data.vessel
// @ts-expect-error: loadPrompt was not awaited
summarizeAll(['a'], { client, prompt: loadPrompt('summarize') })
// @ts-expect-error: a promise is not an outcome
told(client.complete('x'))
`

const strict = {
  target: 'es2023',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  noEmit: true,
}

/** Runs an example of the page against the simulator, in a folder with these files and the package. */
async function runExample(
  source: string,
  files: Readonly<Record<string, string>> = {},
  options: SimulatorOptions = {},
) {
  const { simulator, env } = await startService(options)
  const folder = await createFolder({ ...files, 'example.mjs': source })
  await mkdir(join(folder, 'node_modules'))
  await symlink(root, join(folder, 'node_modules/claude-batch'), 'dir')
  await symlink(join(root, 'node_modules/@anthropic-ai'), join(folder, 'node_modules/@anthropic-ai'), 'dir')
  const { stdout, stderr } = await run(process.execPath, ['example.mjs'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
  })
  return { stdout, stderr, requests: simulator.stats().requests }
}

describe('docs/library.md', () => {
  it('has an example that runs', async () => {
    const { stdout, stderr, requests } = await runExample(example)
    expect(stderr).toBe('')
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/ \(\$0\.0000\d+\)$/),
        expect.stringMatching(/ \(\d+ tokens\)$/),
        expect.stringMatching(/^monday: .+/),
        expect.stringMatching(/^tuesday: .+/),
        'wednesday: no summary, the text is empty',
      ]),
    )
    expect(requests).toBe(4)
  })

  it('has an example that reads documents', async () => {
    const source = examples.find((code) => code.includes("readDocuments('./docs')")) ?? ''
    const { stdout, stderr, requests } = await runExample(source, {
      'docs/tides.html': '<h1>Tides</h1><p>High water is at 06:12.</p>',
      'docs/empty.pdf': '',
    })
    expect(stderr).toBe('')
    expect(stdout).toContain('docs/empty.pdf: no summary, the file is empty; download or copy it again\n')
    expect(stdout).toMatch(/^docs\/tides\.html: \[simulated\] /m)
    expect(requests).toBe(1)
  })

  it.each([
    ['outcome.reused', 2, /^(?:\[simulated\] High water .+ \n){2}$/],
    ["mode: 'batch'", 1, /^text-1: \[simulated\] .+\ntext-2: it is in the batch msgbatch_sim\w+\n$/],
    ['definePrompt', 2, /^.+: \d+ delays\n.+ is in .+\n$/],
    [
      'onProgress',
      2,
      /^2 texts, at most \$0\.00\d+\n(?:.*\n)*2 summarized, 0 failed, \$0\.0+\d+, \$1\.9+\d* left\n(?:.*\n)*2 requests\n$/,
    ],
  ])('has an example with %s that runs', async (name, requests, output) => {
    const source = examples.find((code) => code.includes(name)) ?? ''
    const { stdout, stderr, requests: sent } = await runExample(source)
    expect([stdout, stderr]).toEqual([expect.stringMatching(output), ''])
    expect(sent).toBe(requests)
  })

  it('has an example of a cause that is an error of the SDK of the caller', async () => {
    const source = examples.find((code) => code.includes('Anthropic.APIError')) ?? ''
    const script = () => ({ kind: 'status', status: 400 }) as const
    const { stdout, stderr } = await runExample(source, {}, { script })
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(/^400 req_\w+\n$/)])
  })

  it('has only examples that compile in strict mode with the packed package', async () => {
    const files = Object.fromEntries(
      examples.map((example, n) => [
        /\brequire\(/.test(example) ? `${n}.cts` : `${n}.mts`,
        complete(example),
      ]),
    )
    expect(examples.length).toBeGreaterThan(5)
    const folder = await createFolder({
      ...files,
      'caller.mts': caller,
      'node.json': config(['caller.mts', ...Object.keys(files)], { lib: ['es2023'], types: ['node'] }),
      'web.json': config(['caller.mts'], { lib: ['es2023', 'dom'], types: [] }),
    })
    await installPacked(folder)
    for (const name of ['@types', '@anthropic-ai'])
      await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'dir')
    for (const project of ['node.json', 'web.json']) {
      const compiler = [join(root, 'node_modules/typescript/bin/tsc'), '-p', project]
      const { stdout } = await run(process.execPath, compiler, { cwd: folder }).catch((error) => error)
      expect(stdout).toBe('')
    }
  })

  it.each([
    ['client-options', checkOptions],
    ['read-documents-options', checkReadOptions],
  ])('lists every option in %s', async (name, check) => {
    const source = await readFile(join(root, `src/library/${name}.ts`), 'utf8')
    const names = [...source.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(10)
    for (const name of names) {
      expect(page).toMatch(new RegExp(`^\\| .*\`${name}\`.* \\|`, 'm'))
      // The run-time check must accept every option of the type.
      expect(() => check({ [name]: undefined })).not.toThrow()
    }
  })
})

/** Adds to an example what the page has introduced before it. */
function complete(example: string): string {
  const declared = {
    "import { ClaudeBatchError, createClient, loadPrompt, summarizeAll } from 'claude-batch'":
      /claude-batch'/,
    "declare const client: import('claude-batch').Client": /\bconst client\b/,
    'declare const texts: readonly string[]': /\btexts = /,
  }
  const missing = Object.entries(declared).flatMap(([line, isThere]) => (isThere.test(example) ? [] : [line]))
  return [...missing, example, 'export {}'].join('\n')
}

function config(files: readonly string[], options: object): string {
  return JSON.stringify({ compilerOptions: { ...strict, ...options }, files })
}
