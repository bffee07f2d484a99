import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApplication, type InstalledTools, installTools } from '../support/installed-tools.ts'
import { startService } from '../support/run-cli.ts'
import { installRuntimes, runtimes } from '../support/runtimes.ts'

const run = promisify(execFile)
const { exports } = JSON.parse(
  await readFile(resolve(import.meta.dirname, '../../package.json'), 'utf8'),
) as {
  readonly exports: Readonly<Record<string, string | object>>
}
/** `claude-batch`, and the names of its other modules. */
const entries = Object.entries(exports).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [path.replace('.', 'claude-batch')],
)

const body = `
const anySchema: object = { type: 'object', additionalProperties: false, required: [], properties: {} }
declare const console: { log(text: string): void }

async function main(): Promise<void> {
  const client: Client = createClient({ model: 'haiku', rpm: 6000, signal: undefined })
  const { text, usage }: Completion = await client.complete({ system: 'Be brief.', user: 'Are you there?' })
  const prompt: Prompt = await loadPrompt('summarize@v1')
  const outcomes: Outcome['status'][] = []
  const { data } = await client.complete({
    user: 'x',
    schema: { type: 'object', additionalProperties: false, required: ['a'], properties: { a: { type: 'string' } } },
  })
  data.a satisfies string
  const facts = definePrompt<{ a: string }>({ user: '{text}', schema: anySchema })
  const all = { client, prompt: facts, model: 'sonnet' }
  const guess = await estimate(['x'], all)
  guess.costUsd?.high satisfies number | undefined
  let finished = 0
  const onProgress = ({ summarized }: Progress) => {
    finished = summarized
  }
  for await (const outcome of summarizeAll(['x'], { ...all, onProgress }))
    if (outcome.status === 'summarized') outcome.data.a satisfies string
  for await (const outcome of summarizeAll([{ id: 'a', text: 'The tide is high.' }], { client, prompt })) {
    outcomes.push(outcome.status)
    if (outcome.status === 'failed') outcome.error.transient satisfies boolean
  }
  const page: DocumentData = { name: 'a.html', data: Uint8Array.from('<p>High tide.</p>', (c) => c.charCodeAt(0)) }
  const reading: ReadDocumentsOptions = { onSkip: ({ type, ids }: SkippedDocuments) => console.log(type + ids.join()) }
  for await (const document of readDocuments([page], reading)) {
    if ('error' in document) document.error.type satisfies string
    else document.upload?.type satisfies 'pdf' | 'images' | undefined
  }
  for await (const { status } of summarizeAll(readDocuments(page), { client })) outcomes.push(status)
  const stream: TextStream = client.stream('Why?')
  let streamed = ''
  for await (const piece of stream) streamed += piece
  const error: unknown = await loadPrompt('nothing').catch((error: unknown) => error)
  const type: string | undefined = error instanceof ClaudeBatchError ? error.type : undefined
  await client.close()
  // @ts-expect-error: a text is not a number
  text satisfies number
  // @ts-expect-error: the API may have reported no usage
  usage.inputTokens
  // @ts-expect-error: an option has a wrong type
  ;() => createClient({ rpm: text })
  console.log([text.length > 0, finished === 1 && client.getTotals().attempts === 6, ...outcomes, streamed === (await stream.result).text, type].join(' '))
}
void main()
`
const printed = 'true true summarized summarized true configuration\n'
const types = 'Client, Completion, Outcome, Progress, Prompt, TextStream'
const documentTypes = 'DocumentData, ReadDocumentsOptions, SkippedDocuments'
const importing = `
import { ClaudeBatchError, createClient, definePrompt, estimate, loadPrompt, summarizeAll } from 'claude-batch'
import type { ${types} } from 'claude-batch'
import { readDocuments } from 'claude-batch/documents'
import type { ${documentTypes} } from 'claude-batch/documents'
${entries.map((entry, n) => `import * as entry${n} from '${entry}'\nexport type Entry${n} = typeof entry${n}`).join('\n')}
${body}`
const requiring = `
import library = require('claude-batch')
import documents = require('claude-batch/documents')
const { readDocuments } = documents
const { createClient, definePrompt, estimate, loadPrompt, summarizeAll } = library
import ClaudeBatchError = library.ClaudeBatchError
${types.replaceAll(/(\w+),? ?/g, 'type $1 = library.$1\n')}
${documentTypes.replaceAll(/(\w+),? ?/g, 'type $1 = documents.$1\n')}
${body}`

/** How a project imports, and the programs that the compiler writes for it. */
const projects = [
  {
    options: { module: 'nodenext' },
    files: { 'a.mts': importing, 'b.cts': importing, 'c.cts': requiring },
    programs: ['a.mjs', 'b.cjs', 'c.cjs'],
  },
  {
    options: { module: 'node16' },
    files: { 'a.mts': importing, 'b.cts': importing, 'c.cts': requiring },
    programs: ['a.mjs', 'b.cjs', 'c.cjs'],
  },
  {
    options: { module: 'commonjs' },
    files: { 'package.json': '{}', 'a.ts': importing, 'b.ts': requiring },
    programs: ['a.js', 'b.js'],
  },
  {
    options: { module: 'esnext', moduleResolution: 'bundler' },
    files: { 'a.ts': importing },
    programs: ['a.js'],
  },
]
const compilers = ['typescript-5.9', 'typescript-7']
const libraries = {
  'neither DOM nor Node types': { lib: ['es2022'], types: [] },
  'DOM types': { lib: ['es2022', 'dom'], types: [] },
  'Node types': { lib: ['es2022'], types: ['node'] },
  'DOM and Node types': { lib: ['es2022', 'dom'], types: ['node'] },
}
const strict = {
  target: 'es2022',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  isolatedModules: true,
  skipLibCheck: false,
  rootDir: '.',
  outDir: 'out',
}

describe("a consumer's project with the packed library", () => {
  let tools: InstalledTools
  let otherRuntimes: InstalledTools

  beforeAll(async () => {
    tools = await installTools(
      'typescript-5.9@npm:typescript@5.9.3',
      'typescript-7@npm:typescript@7.0.2',
      '@types/node@20.19.43',
    )
    otherRuntimes = await installRuntimes()
  })

  describe.for(compilers)('compiled by %s', (compiler) => {
    it.for(projects)(
      'with $options compiles with all types of a platform, and runs',
      async (project, { skip }) => {
        if (tools.whyNot !== undefined) skip(tools.whyNot)
        const { options, files, programs } = project
        const sources = Object.keys(files).filter((name) => name.endsWith('ts'))
        const cwd = await createApplication(tools, {
          ...files,
          'out/package.json': files['package.json'] ?? '{ "type": "module" }',
          ...Object.fromEntries(
            Object.entries(libraries).map(([name, library]) => [
              `${name}.json`,
              JSON.stringify({ compilerOptions: { ...strict, ...options, ...library }, files: sources }),
            ]),
          ),
        })
        for (const name of Object.keys(libraries)) {
          const command = [join(tools.folder, 'node_modules', compiler, 'bin/tsc'), '-p', `${name}.json`]
          const { stdout } = await run(process.execPath, command, { cwd }).catch((error) => error)
          expect([name, stdout]).toEqual([name, ''])
        }
        const { env } = await startService({})
        for (const program of programs) {
          const { stdout, stderr } = await run(process.execPath, [join('out', program)], {
            cwd,
            env: { PATH: process.env['PATH'], ...env },
          })
          expect([program, stdout, stderr]).toEqual([program, printed, ''])
        }
      },
    )
  })

  it.for(runtimes)('runs in %s, as a module and as CommonJS', async ([name, runtime], { skip }) => {
    const whyNot = tools.whyNot ?? otherRuntimes.whyNot
    if (whyNot !== undefined) skip(whyNot)
    const [command = '', ...given] = await runtime(otherRuntimes)
    // Readers of documents run in a thread, which is a file, and one package counts the processors.
    const flags = name === 'Deno' ? [...given, '--allow-read', '--allow-sys=cpus'] : given
    const cwd = await createApplication(tools, {
      'a.mts': importing,
      'b.cts': requiring,
      'tsconfig.json': JSON.stringify({
        compilerOptions: { ...strict, module: 'nodenext', types: ['node'], outDir: '.' },
        files: ['a.mts', 'b.cts'],
      }),
    })
    await run(process.execPath, [join(tools.folder, 'node_modules/typescript-7/bin/tsc')], { cwd })
    const { env } = await startService({})
    const isTypeScriptRuntime = !name.startsWith('Node')
    for (const program of ['a.mjs', 'b.cjs', ...(isTypeScriptRuntime ? ['a.mts'] : [])]) {
      const { stdout, stderr } = await run(command, [...flags, program], {
        cwd,
        env: { PATH: process.env['PATH'], NO_COLOR: '1', ...env },
      })
      expect([program, stdout, stderr]).toEqual([program, printed, ''])
    }
  })
})
