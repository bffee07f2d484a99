import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runChecked } from '../support/run-checked.ts'
import { createFolder, startService } from '../support/run-cli.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const abc = { 'docs/a.md': prose('ale'), 'docs/b.md': prose('beer'), 'docs/c.md': prose('cider') }

describe('a hostile input folder', () => {
  it('X17 no pattern of a flag or an ignore file blocks the run', async () => {
    const depth = 'x/'.repeat(60)
    const cwd = await createFolder({ ...abc, [`docs/deep/${depth}e.md`]: prose('depth') })
    await writeFile(join(cwd, 'docs/deep/.gitignore'), 'x/**/x/**/x/**/x/**/x/**/x/**/y\n*a*a*a*a*a*a*b\n')
    const { env, simulator } = await startService({})
    // A pattern that never ends would block this process, so the program runs in another one.
    const run = { cwd, env, inOwnProcess: true }
    const given = await runChecked(['summarize', 'docs', '--exclude', '*a*a*a*a*a*a*a*b'], run)
    expect([given.code, given.stderr]).toEqual([2, expect.stringContaining('too complicated')])
    expect((await runChecked(['summarize', 'docs'], run)).code).toBe(0)
    expect(simulator.stats().requests).toBe(4)
  })

  it('X17 a pattern with many ** is refused', async () => {
    const cwd = await createFolder({ [`docs/${'x/'.repeat(200)}e.md`]: prose('depth') })
    const { env } = await startService({})
    const args = ['summarize', 'docs', '--exclude', '**/x/**/x/**/x/**/x/**/y']
    const { code, stderr } = await runChecked(args, { cwd, env, inOwnProcess: true })
    expect([code, stderr]).toEqual([2, expect.stringContaining('too complicated')])
  })
})

describe('the package', () => {
  const root = resolve(import.meta.dirname, '../..')

  it('X21 the package contains only the program, has no install script, and installs one command', async () => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const listed = await new Promise<string>((resolve, reject) => {
      execFile('npm', args, { cwd: root }, (error, stdout) => (error ? reject(error) : resolve(stdout)))
    })
    const [{ files, unpackedSize }] = JSON.parse(listed) as [
      { files: { path: string }[]; unpackedSize: number },
    ]
    expect(unpackedSize).toBeLessThanOrEqual(8_000_000)
    const expected =
      /^(dist\/[\w.-]+\.c?js|dist\/types\/[\w/-]+\.d\.c?ts|dist\/assets\/pages\/(serve\.html|report\.(css|js)|local-times\.js)|dist\/schemas\/(config|prompt|report|estimate|jsonl|ledger|progress|request-log)\.json|dist\/man\/claude-batch\.1|dist\/help\.txt|dist\/character-maps\.br|dist\/third-party-licenses\.txt|dist\/sbom\.cdx\.json|bin\/claude-batch\.js|README\.md|LICENSE|package\.json)$/
    expect(files.map(({ path }) => path).filter((path) => !expected.test(path))).toEqual([])
    const { scripts, bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(Object.keys(scripts).filter((name) => /install/.test(name))).toEqual([])
    expect(bin).toEqual({ 'claude-batch': 'bin/claude-batch.js' })
  })

  it('X24 a run connects only to the API, starts no other program and looks up no host name', async () => {
    const watch = `
      import childProcess from 'node:child_process'
      import dns from 'node:dns'
      import { appendFileSync } from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      import net from 'node:net'
      const told = (owner, name) => {
        const original = owner[name]
        owner[name] = function (...args) {
          const first = Array.isArray(args[0]) ? args[0][0] : args[0]
          appendFileSync(process.env.SEEN, name + ' ' + (first?.host ?? '') + ':' + (first?.port ?? first) + '\\n')
          return original.apply(this, args)
        }
      }
      told(net.Socket.prototype, 'connect')
      told(dns, 'lookup')
      for (const name of ['spawn', 'exec', 'execFile', 'fork', 'spawnSync', 'execSync']) told(childProcess, name)
      syncBuiltinESMExports()
    `
    const cwd = await createFolder({ ...abc, 'watch.mjs': watch })
    const { env, simulator } = await startService({})
    const more = { NODE_OPTIONS: `--import=${join(cwd, 'watch.mjs')}`, SEEN: join(cwd, 'seen') }
    const run = { cwd, env: { ...env, ...more }, alsoWrites: ['seen'], inOwnProcess: true }
    expect((await runChecked(['summarize', 'docs'], run)).code).toBe(0)
    const seen = new Set((await readFile(join(cwd, 'seen'), 'utf8')).trimEnd().split('\n'))
    expect([...seen]).toEqual([`connect 127.0.0.1:${new URL(simulator.url).port}`])
  })
})
