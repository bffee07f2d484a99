import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { acceptsConnections, findFreePort } from '../support/free-port.ts'
import { createApplication, findTool, type InstalledTools, installTools } from '../support/installed-tools.ts'
import { longWait } from '../support/long-wait.ts'
import { startRecordingServer } from '../support/recording-server.ts'
import { createFolder, startService } from '../support/run-cli.ts'

const run = promisify(execFile)

/** The entry of an application: it uses everything that the library loads on demand, and exports nothing. */
const app = `
import { ClaudeBatchError, createClient, loadPrompt, summarizeAll } from 'claude-batch'

async function main() {
  const client = createClient()
  const { text } = await client.complete('Are you there?')
  const outcomes = []
  for await (const { status } of summarizeAll(['The tide is high.'], { client })) outcomes.push(status)
  const { version } = await loadPrompt('summarize@v1')
  const error = await loadPrompt('nothing').catch((error) => error)
  await client.close()
  console.log(JSON.stringify({ text: text.length > 0, outcomes, version, isOurs: error instanceof ClaudeBatchError }))
}
main()
`
const requiringApp = app.replace(/import (.*) from ('.*')/, 'const $1 = require($2)')
const works = { text: true, outcomes: ['summarized'], version: 'v1', isOurs: true }

/** An application that reads a page with the thread of the library. */
const documentsApp = `
import { ClaudeBatchError, createClient, summarizeAll } from 'claude-batch'
import { readDocuments } from 'claude-batch/documents'

async function main() {
  const client = createClient()
  const outcomes = []
  try {
    const page = { name: 'a.html', data: Buffer.from('<p>The tide is high.</p>') }
    for await (const { status } of summarizeAll(readDocuments(page), { client })) outcomes.push(status)
  } catch (error) {
    outcomes.push(error instanceof ClaudeBatchError, error.type, error.message)
  }
  console.log(JSON.stringify(outcomes))
}
main()
`

interface Build {
  readonly name: string
  readonly program: string
  /** A script that calls the API of a bundler and creates one program. */
  readonly build: string
}

const createEsbuildBuild = (name: string, program: string, format: string, entry = 'app.mjs'): Build => ({
  name,
  program,
  build: `
import { build } from 'esbuild'
await build({
  entryPoints: ['${entry}'], bundle: true, platform: 'node', format: '${format}', outfile: '${program}', logLevel: 'silent',
})`,
})

const createWebpackBuild = (name: string, entry: string): Build => ({
  name,
  program: 'out/app.cjs',
  build: `
import { resolve } from 'node:path'
import webpack from 'webpack'
webpack({
  mode: 'production', target: 'node', entry: './${entry}', output: { path: resolve('out'), filename: 'app.cjs' },
}, (error, stats) => {
  if (error) throw error
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true })
  if (errors.length + warnings.length > 0) throw new Error(JSON.stringify([...errors, ...warnings]))
})`,
})

const createRollupBuild = (program: string, format: string): Build => ({
  name: `Rollup to ${format}`,
  program,
  build: `
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'
const onwarn = ({ message }) => { throw new Error(message) }
const bundle = await rollup({ input: 'app.mjs', plugins: [nodeResolve()], onwarn })
await bundle.write({ file: '${program}', format: '${format}', inlineDynamicImports: true })`,
})

const builds: readonly Build[] = [
  createEsbuildBuild('esbuild to cjs', 'out/app.cjs', 'cjs'),
  createEsbuildBuild('esbuild to esm', 'out/app.mjs', 'esm'),
  createEsbuildBuild('esbuild, from a module that requires it,', 'out/app.cjs', 'cjs', 'app.cjs'),
  createWebpackBuild('webpack for Node', 'app.mjs'),
  createWebpackBuild('webpack, from a module that requires it,', 'app.cjs'),
  {
    name: 'Vite with ssr.noExternal',
    program: 'out/app.js',
    build: `
import { build } from 'vite'
await build({ logLevel: 'silent', ssr: { noExternal: true }, build: { ssr: 'app.mjs', outDir: 'out' } })`,
  },
  createRollupBuild('out/app.cjs', 'cjs'),
  createRollupBuild('out/app.mjs', 'es'),
]

/** The handler of a function in AWS Lambda, which keeps one client between invocations. */
const lambdaHandler = `
import { createClient } from 'claude-batch'

const client = createClient()

export async function handler({ question }, { awsRequestId }) {
  const { text } = await client.complete(question)
  return { text, awsRequestId }
}
`
/** What the runtime of Lambda does: it loads the handler with \`require\` and calls it for each event. */
const lambdaRuntime = `
const { createInterface } = require('node:readline')
const { handler } = require('./index.js')
createInterface({ input: process.stdin }).on('line', async (line) => {
  const { event, context } = JSON.parse(line)
  console.log(JSON.stringify(await handler(event, context)))
})
`

describe('an application that bundles the packed library', () => {
  let tools: InstalledTools

  beforeAll(async () => {
    tools = await installTools(
      'esbuild@0.28.2',
      'vite@8.3.8',
      'webpack@5.112.2',
      'rollup@4.68.8',
      '@rollup/plugin-node-resolve@16.0.3',
    )
  })

  it.for(builds)('works when $name builds it', async ({ program, build }, { skip }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const { env } = await startService({})
    const bundled = await bundle(tools, { 'app.mjs': app, 'app.cjs': requiringApp, 'build.mjs': build })
    const { stdout, stderr } = await run(process.execPath, [program], {
      cwd: bundled,
      env: { PATH: process.env['PATH'], ...env },
    })
    expect(JSON.parse(stdout)).toEqual(works)
    expect(stderr).toBe('')
  })

  it.for([
    ['cjs', 'app.cjs'],
    ['esm', 'app.mjs'],
  ] as const)(
    'reads documents if esbuild to %s leaves their module out, and says so if not',
    async ([format, program], { skip }) => {
      if (tools.whyNot !== undefined) skip(tools.whyNot)
      const createBuild = (name: string, external: string) => `
await build({
  entryPoints: ['app.mjs'], bundle: true, platform: 'node', format: '${format}', outfile: 'out/${name}',
  logLevel: 'silent', external: ${external},
})`
      const cwd = await createApplication(tools, {
        'app.mjs': documentsApp,
        'package.json': '{ "type": "module" }',
        'build.mjs': `import { build } from 'esbuild'
${createBuild(program, "['claude-batch/documents']")}${createBuild(`whole.${program}`, '[]')}`,
      })
      await run(process.execPath, ['build.mjs'], { cwd })
      const { env } = await startService({})
      const print = async (file: string) => {
        const { stdout } = await run(process.execPath, [join('out', file)], {
          cwd,
          env: { PATH: process.env['PATH'], ...env },
        })
        return JSON.parse(stdout)
      }
      expect(await print(program)).toEqual(['summarized'])
      expect(await print(`whole.${program}`)).toEqual([
        true,
        'configuration',
        expect.stringContaining('do not bundle it (esbuild: --external:claude-batch/documents)'),
      ])
    },
  )

  it('answers in AWS Lambda, also after it was frozen and the API has closed its connections', async ({
    skip,
  }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const service = await startRecordingServer()
    const build = `
import { build } from 'esbuild'
await build({
  entryPoints: ['handler.mjs'], bundle: true, minify: true, platform: 'node', target: 'node20', outfile: 'out/index.js',
  logLevel: 'silent',
})`
    const bundled = join(await bundle(tools, { 'handler.mjs': lambdaHandler, 'build.mjs': build }), 'out')
    const folder = await createFolder({ 'runtime.js': lambdaRuntime })
    await cp(bundled, folder, { recursive: true })
    const { PATH } = process.env
    const child = spawn(process.execPath, ['runtime.js'], { cwd: folder, env: { PATH, ...service.env } })
    onTestFinished(() => void child.kill('SIGKILL'))
    const answers = createInterface({ input: child.stdout })
    const invoke = async (awsRequestId: string) => {
      child.stdin.write(
        `${JSON.stringify({ event: { question: 'Are you there?' }, context: { awsRequestId } })}\n`,
      )
      return JSON.parse(String((await once(answers, 'line'))[0]))
    }
    expect(await invoke('a')).toEqual({ text: 'A summary.', awsRequestId: 'a' })
    child.kill('SIGSTOP')
    service.closeConnections()
    child.kill('SIGCONT')
    expect(await invoke('b')).toEqual({ text: 'A summary.', awsRequestId: 'b' })
  })

  it('recognizes the errors of a second copy of the library', async ({ skip }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const { build } = createEsbuildBuild('', 'out/app.mjs', 'esm')
    const copy = `export { ClaudeBatchError, loadPrompt } from 'claude-batch'`
    const folders = [
      await bundle(tools, { 'app.mjs': copy, 'build.mjs': build }),
      await bundle(tools, { 'app.mjs': copy, 'build.mjs': build }),
    ]
    const [one, other] = await Promise.all(folders.map((folder) => import(join(folder, 'out/app.mjs'))))
    expect(one.ClaudeBatchError).not.toBe(other.ClaudeBatchError)
    const error = await other.loadPrompt('nothing').catch((error: unknown) => error)
    expect(error).toBeInstanceOf(one.ClaudeBatchError)
    expect(error).toBeInstanceOf(other.ClaudeBatchError)
    expect(new Error('another')).not.toBeInstanceOf(one.ClaudeBatchError)
    class Narrower extends one.ClaudeBatchError {}
    expect(error).not.toBeInstanceOf(Narrower)
  })
})

const nextApplication = {
  // Without the root, Next does not find its package, which is in the folder above.
  'next.config.mjs': `
import { resolve } from 'node:path'
export default { output: 'standalone', turbopack: { root: resolve('..') }, outputFileTracingRoot: resolve('..') }`,
  'app/layout.jsx': 'export default ({ children }) => <html><body>{children}</body></html>',
  'app/page.jsx': 'export default () => <p>The tides</p>',
  'app/api/ask/route.js': `
import { ClaudeBatchError, createClient, loadPrompt, summarizeAll } from 'claude-batch'

export async function POST(request) {
  const client = createClient()
  const { text } = await client.complete(await request.text(), { signal: request.signal })
  const outcomes = []
  for await (const { status } of summarizeAll(['The tide is high.'], { client })) outcomes.push(status)
  const { version } = await loadPrompt('summarize@v1')
  const error = await loadPrompt('nothing').catch((error) => error)
  await client.close()
  return Response.json({ text: text.length > 0, outcomes, version, isOurs: error instanceof ClaudeBatchError })
}`,
  'app/api/stream/route.js': `
import { createClient } from 'claude-batch'

const client = createClient()

export async function POST(request) {
  const stream = client.stream(await request.text(), { signal: request.signal })
  return new Response(ReadableStream.from(stream).pipeThrough(new TextEncoderStream()))
}`,
  // Next does not bundle the packages that a page imports, but copies their files.
  'pages/api/page.js': `
import { createClient } from 'claude-batch'

const client = createClient()

export default async function handler(request, response) {
  const { text } = await client.complete(request.body)
  response.send(text)
}`,
}

describe('an application of Next', () => {
  let tools: InstalledTools

  beforeAll(async () => {
    tools = await installTools('next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1')
  })

  it.for(['--turbopack', '--webpack'])('answers and streams, built with %s', async (bundler, { skip }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const { simulator, env: service } = await startService({
      script: ({ request }) =>
        request.lastText.includes('never')
          ? { kind: 'stall', afterHeaders: true }
          : { kind: 'answer', delayMs: 5 },
    })
    const env = { PATH: process.env['PATH'], NEXT_TELEMETRY_DISABLED: '1' }
    const folder = await createApplication(tools, nextApplication)
    await run(findTool(tools, 'next'), ['build', bundler], { cwd: folder, env })
    const deployed = await createFolder({})
    await cp(join(folder, '.next/standalone'), deployed, { recursive: true, verbatimSymlinks: true })

    const port = await findFreePort()
    const server = spawn(process.execPath, ['server.js'], {
      cwd: join(deployed, basename(folder)),
      env: { ...env, ...service, PORT: String(port), HOSTNAME: '127.0.0.1' },
    })
    onTestFinished(() => void server.kill('SIGKILL'))
    await vi.waitUntil(() => acceptsConnections(port), longWait)
    const post = async (
      path: string,
      { body = 'Tides?', signal }: { body?: string; signal?: AbortSignal } = {},
    ) => {
      const init = { method: 'POST', body, ...(signal && { signal }) }
      const response = await fetch(`http://127.0.0.1:${port}/api/${path}`, init)
      return [response.status, await response.text()]
    }
    expect(await post('ask')).toEqual([200, JSON.stringify(works)])
    expect(await post('stream')).toEqual([200, '[simulated] Tides?'])
    expect(await post('page')).toEqual([200, '[simulated] Tides?'])

    const user = new AbortController()
    const left = post('stream', { body: 'An answer that never comes.', signal: user.signal }).catch(
      () => 'left',
    )
    await vi.waitUntil(() => simulator.stats().inFlight === 1, longWait)
    user.abort()
    expect(await left).toBe('left')
    await vi.waitUntil(() => simulator.stats().aborted === 1, longWait)
  })
})

describe('a test of Jest', () => {
  let tools: InstalledTools

  beforeAll(async () => {
    tools = await installTools('jest@30.5.2')
  })

  it('may import the library if Jest uses the modules of Node', async ({ skip }) => {
    if (tools.whyNot !== undefined) skip(tools.whyNot)
    const { env } = await startService({})
    const cwd = await createApplication(tools, {
      'package.json': '{ "type": "module", "jest": { "testEnvironment": "node" } }',
      'tides.test.js': `
import { createClient } from 'claude-batch'
test('tides', async () => {
  const client = createClient({ signal: AbortSignal.timeout(60_000) })
  expect(await client.complete('Tides?')).toMatchObject({ text: '[simulated] Tides?' })
  await client.close()
})`,
    })
    const NODE_OPTIONS = '--experimental-vm-modules'
    await run(findTool(tools, 'jest'), { cwd, env: { PATH: process.env['PATH'], NODE_OPTIONS, ...env } })
  })
})

/** Builds an application. @returns another folder that contains only the build output */
async function bundle(tools: InstalledTools, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await createApplication(tools, files)
  await run(process.execPath, ['build.mjs'], { cwd: folder })
  const bundled = await createFolder({ 'package.json': '{ "type": "module" }' })
  await cp(join(folder, 'out'), join(bundled, 'out'), { recursive: true })
  return bundled
}
