import { execFile } from 'node:child_process'
import { cp, mkdir, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { installPacked } from '../support/packed-package.ts'
import { createFolder, startService } from '../support/run-cli.ts'

const run = promisify(execFile)

const bundlers = ['esbuild@0.28.2', 'vite@8.3.8', 'webpack@5.112.2']
/** The bundlers are kept between runs, outside the project, because the package must not depend on them. */
const toolsFolder = join(tmpdir(), `claude-batch-bundlers-${bundlers.join('-')}`)

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
const works = { text: true, outcomes: ['summarized'], version: 'v1', isOurs: true }

/** Scripts that call the API of a bundler and create one program; they run next to the installed bundlers. */
const builds: readonly { name: string; program: string; build: string }[] = [
  ...(['cjs', 'esm'] as const).map((format) => ({
    name: `esbuild to ${format}`,
    program: `out/app.${format === 'cjs' ? 'cjs' : 'mjs'}`,
    build: `
import { build } from 'esbuild'
await build({
  entryPoints: ['app.mjs'], bundle: true, platform: 'node', format: '${format}', logLevel: 'silent',
  outfile: 'out/app.${format === 'cjs' ? 'cjs' : 'mjs'}',
})`,
  })),
  {
    name: 'webpack for Node',
    program: 'out/app.cjs',
    build: `
import { resolve } from 'node:path'
import webpack from 'webpack'
webpack({
  mode: 'production', target: 'node', entry: './app.mjs', output: { path: resolve('out'), filename: 'app.cjs' },
}, (error, stats) => {
  if (error) throw error
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true })
  if (errors.length + warnings.length > 0) throw new Error(JSON.stringify([...errors, ...warnings]))
})`,
  },
  {
    name: 'Vite with ssr.noExternal',
    program: 'out/app.js',
    build: `
import { build } from 'vite'
await build({ logLevel: 'silent', ssr: { noExternal: true }, build: { ssr: 'app.mjs', outDir: 'out' } })`,
  },
]

describe('an application that bundles the packed library', () => {
  let whyNot: string | undefined

  beforeAll(async () => {
    await mkdir(toolsFolder, { recursive: true })
    const flags = ['--silent', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', toolsFolder]
    whyNot = await run('npm', ['install', ...flags, ...bundlers], { timeout: 120_000 }).then(
      () => undefined,
      (error) => `the bundlers cannot be installed: ${String(error.stderr || error.message).slice(0, 200)}`,
    )
  })

  it.for(builds)('works when $name builds it', async ({ program, build }, { skip }) => {
    if (whyNot !== undefined) skip(whyNot)
    const { env } = await startService({})
    const bundled = await bundle({ 'app.mjs': app, 'build.mjs': build })
    const { stdout } = await run(process.execPath, [program], {
      cwd: bundled,
      env: { PATH: process.env['PATH'], ...env },
    })
    expect(JSON.parse(stdout)).toEqual(works)
  })

  it('recognizes the errors of a second copy of the library', async ({ skip }) => {
    if (whyNot !== undefined) skip(whyNot)
    const build = builds.find(({ name }) => name === 'esbuild to esm')?.build ?? ''
    const copy = `export { ClaudeBatchError, loadPrompt } from 'claude-batch'`
    const folders = [
      await bundle({ 'app.mjs': copy, 'build.mjs': build }),
      await bundle({ 'app.mjs': copy, 'build.mjs': build }),
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

/** Builds an application. @returns another folder that contains only the build output */
async function bundle(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await createFolder({ 'package.json': '{ "type": "module" }', ...files })
  await installPacked(folder)
  for (const name of ['esbuild', 'vite', 'webpack'])
    await symlink(join(toolsFolder, 'node_modules', name), join(folder, 'node_modules', name), 'dir')
  await run(process.execPath, ['build.mjs'], { cwd: folder })
  const bundled = await createFolder({ 'package.json': '{ "type": "module" }' })
  await cp(join(folder, 'out'), join(bundled, 'out'), { recursive: true })
  return bundled
}
