import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findLoadedPackages } from './support/loaded-packages.ts'
import { createFolder, runCli, startService } from './support/run-cli.ts'

/** Runs the built program, and returns its files and packages in the module log of Node. */
async function listLoaded(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const { code, stderr } = await runCli(args, { cwd, env: { ...env, NODE_DEBUG: 'esm,module' } })
  expect(code).toBe(0)
  const files = new Set(stderr.match(/dist\/[\w.-]+\.js/g))
  return { files: files.size, packages: findLoadedPackages(stderr) }
}

// Loading a file takes about half a millisecond, and each of these packages several.
describe('the program loads few files:', () => {
  it('the help of the program, two and no package', async () => {
    const { files, packages } = await listLoaded(['--help'], await createFolder({}))
    expect([files, packages]).toEqual([2, []])
  })

  it('the help of a command, at most 6 with the package commander', async () => {
    const { files, packages } = await listLoaded(['summarize', '--help'], await createFolder({}))
    expect(files).toBeLessThanOrEqual(6)
    expect(packages).toEqual(['commander'])
  })

  it('a run of one document, at most 20, and no parser of YAML or patterns', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'The harbour has a keeper.' })
    const { env } = await startService({})
    const run = await listLoaded(['summarize', 'docs'], cwd, env)
    expect(run.files).toBeLessThanOrEqual(20)
    expect(run.packages).toContain('undici')
    for (const name of ['yaml', 'fast-glob', 'micromatch']) expect(run.packages).not.toContain(name)
  })

  it("a run of one document, none of Node's own fetch", async () => {
    const script = "process.on('exit', () => console.error(process.moduleLoadList.join('\\n')))"
    const cwd = await createFolder({ 'docs/a.md': 'The harbour has a keeper.', 'list.cjs': script })
    const { env } = await startService({})
    const options = { cwd, env: { ...env, NODE_OPTIONS: `--require "${join(cwd, 'list.cjs')}"` } }
    const { code, stderr } = await runCli(['summarize', 'docs'], options)
    expect(code).toBe(0)
    expect(stderr).toContain('NativeModule http')
    expect(stderr).not.toMatch(/NativeModule (internal\/deps\/undici|http2)/)
  })

  it('a run with nothing to do, no client', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'The harbour has a keeper.' })
    const { env } = await startService({})
    expect((await runCli(['summarize', 'docs'], { cwd, env })).code).toBe(0)
    const { packages } = await listLoaded(['summarize', 'docs'], cwd, env)
    for (const name of ['undici', '@anthropic-ai/sdk']) expect(packages).not.toContain(name)
  })
})
