import { execFile } from 'node:child_process'
import { renameSync, symlinkSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { listener } from '../support/listener.ts'
import { orderlyRun } from '../support/orderly-run.ts'
import { folderWith, serviceFor } from '../support/run-cli.ts'
import { runHere } from '../support/run-here.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const abc = { 'docs/a.md': prose('ale'), 'docs/b.md': prose('beer'), 'docs/c.md': prose('cider') }
const saying = (text: string): Behaviour => ({ kind: 'answer', delayMs: 5, text })

describe('a hostile tree', () => {
  it('X12 X13 its settings, prompts and .env are never read, not even from inside', async () => {
    const evil = await listener()
    const settings = `base_url: ${evil.url}\nendpoint: ${evil.url}\nheaders: {x: y}\nprompt: evil\nmodel: evil\n`
    const planted = {
      'claude-batch.yaml': settings,
      'claude-batch.yml': settings,
      '.claude-batch.yaml': settings,
      '.env': `ANTHROPIC_BASE_URL=${evil.url}\nANTHROPIC_AUTH_TOKEN=planted\n`,
      'prompts/summarize.yaml': 'versions:\n  v9:\n    user_template: "{text} evil"\n',
    }
    const inside = Object.fromEntries(Object.entries(planted).map(([name, text]) => [`docs/${name}`, text]))
    const cwd = await folderWith({ ...abc, ...inside })
    const { env, simulator } = await serviceFor({})
    const within = await orderlyRun(['summarize', '.'], { cwd: join(cwd, 'docs'), env })
    expect([within.code, within.stderr]).toEqual([
      0,
      expect.stringContaining('summarize@v2 (latest, shipped)'),
    ])
    expect(simulator.stats().requests).toBe(3)
    const alone = await orderlyRun(['summarize', '.', '-o', 'other'], { cwd: join(cwd, 'docs') })
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('no credentials found')])
    expect(evil.bodies).toEqual([])
  })

  it('X14 a redirect hands no document to another host', async () => {
    const evil = await listener()
    const cwd = await folderWith(abc)
    const headers = { location: `${evil.url}/v1/messages` }
    const { env } = await serviceFor({ script: () => ({ kind: 'raw', status: 307, headers, body: '' }) })
    const { code, stderr, written } = await orderlyRun(['summarize', 'docs'], { cwd, env })
    expect([code, Object.keys(written)]).toEqual([4, []])
    expect(stderr).toContain('redirected to http://127.0.0.1')
    expect(evil.bodies).toEqual([])
  })

  it('X15 paths with .. are read, and written below the output folder', async () => {
    const cwd = await folderWith({ 'x/y/z/a.md': prose('ale'), 'up.md': prose('up') })
    const { env } = await serviceFor({})
    const here = join(cwd, 'x/y/z')
    const input = '../../../up.md\n../../../x/../up.md\n../z/a.md\n'
    const { code, written } = await orderlyRun(['summarize', '--files-from', '-', '-o', 'out'], {
      cwd: here,
      env,
      input,
      out: 'out',
    })
    expect([code, Object.keys(written).sort()]).toEqual([
      0,
      ['a.md.summary.md', `${cwd.slice(1)}/up.md.summary.md`],
    ])
    expect((await readdir(cwd)).sort()).toEqual(['up.md', 'x'])
  })

  it('X15 a folder of the output that is a link is not written through', async () => {
    const [cwd, elsewhere] = [await folderWith(abc), await folderWith({})]
    await mkdir(join(cwd, 'summaries'))
    await symlink(elsewhere, join(cwd, 'summaries/docs'))
    const { env } = await serviceFor({})
    const { code, stderr } = await orderlyRun(['summarize', 'docs'], { cwd, env })
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('a symbolic link leads the folder of its summary out of the output folder'),
    ])
    expect(await readdir(elsewhere)).toEqual([])
  })

  it.each(['ledger', 'journal'])('X15 a %s that names places outside is damaged', async (which) => {
    const cwd = await folderWith(abc)
    const { env } = await serviceFor({})
    const run = (...args: string[]) =>
      orderlyRun(['summarize', 'work/docs', ...args], { cwd, env, out: 'work/out' }).catch((error) => error)
    await mkdir(join(cwd, 'work'))
    await rename(join(cwd, 'docs'), join(cwd, 'work/docs'))
    await run('-o', 'work/out')
    const memory = join(cwd, 'work/out/.claude-batch')
    const ledger = await readFile(join(memory, 'ledger.jsonl'), 'utf8')
    if (which === 'ledger') {
      const text = ledger.replace('work/docs/a.md.summary.md', '../../stolen/a.md.summary.md')
      await writeFile(join(memory, 'ledger.jsonl'), text)
    } else {
      const line = { ...JSON.parse(ledger.split('\n')[1] ?? ''), time: '2030-01-01T00:00:00.000Z' }
      const entry = JSON.stringify({ line, file: '../../stolen/a.txt', text: 'evil' })
      await writeFile(join(memory, 'journal.jsonl'), `${entry}\nnull\n{}\n5\n`)
    }
    expect(await run('-o', 'work/out', '--force')).toMatchObject({ code: 0 })
    expect((await readdir(cwd)).sort()).toEqual(['work'])
  })

  it('X16 a folder that becomes a link while the request is out is not written through, and nothing is lost', async () => {
    const [cwd, elsewhere] = [await folderWith({ 'docs/a.md': prose('ale') }), await folderWith({})]
    const [folder, aside] = [join(cwd, 'summaries/docs'), join(cwd, 'summaries/aside')]
    const { env, simulator } = await serviceFor({
      script: ({ index }) => {
        if (index === 1) {
          renameSync(folder, aside)
          symlinkSync(elsewhere, folder)
        }
        return saying('A summary.')
      },
    })
    const run = () => orderlyRun(['summarize', 'docs'], { cwd, env })
    expect((await run()).code).toBe(0)
    await writeFile(join(cwd, 'docs/b.md'), prose('beer'))
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([6, expect.stringContaining('a symbolic link leads it out of the output')])
    expect(await readdir(elsewhere)).toEqual([])
    await rm(folder)
    await rename(aside, folder)
    const { written, ...again } = await run()
    expect([again.code, Object.keys(written).sort()]).toEqual([
      0,
      ['docs/a.md.summary.md', 'docs/b.md.summary.md'],
    ])
    expect(simulator.stats().requests).toBe(2)
  })

  it('X17 no pattern takes for ever, whoever wrote it', async () => {
    const depth = 'x/'.repeat(60)
    const cwd = await folderWith({ ...abc, [`docs/deep/${depth}e.md`]: prose('depth') })
    await writeFile(join(cwd, 'docs/deep/.gitignore'), 'x/**/x/**/x/**/x/**/x/**/x/**/y\n*a*a*a*a*a*a*b\n')
    const { env, simulator } = await serviceFor({})
    const start = performance.now()
    // What takes for ever takes this process along, unless it is in one of its own.
    const run = { cwd, env, apart: true }
    const given = await orderlyRun(['summarize', 'docs', '--exclude', '*a*a*a*a*a*a*a*b'], run)
    expect([given.code, given.stderr]).toEqual([2, expect.stringContaining('too complicated')])
    const { code, stderr } = await orderlyRun(['summarize', 'docs'], run)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /docs\/deep: input unusable_rules: cannot use .*\.gitignore: "x\/\*\*.*has too many \*\*/,
    )
    expect(simulator.stats().requests).toBe(3)
    expect(performance.now() - start).toBeLessThan(6000)
  })

  it('X17 nor one with many **', async () => {
    const cwd = await folderWith({ [`docs/${'x/'.repeat(200)}e.md`]: prose('depth') })
    const { env } = await serviceFor({})
    const start = performance.now()
    await orderlyRun(['summarize', 'docs', '--exclude', '**/x/**/x/**/x/**/x/**/y'], {
      cwd,
      env,
      apart: true,
    })
    expect(performance.now() - start).toBeLessThan(3000)
  })

  it('X18 10 GB are asked about first, and refused where nobody can be asked', async () => {
    const cwd = await folderWith({ 'docs/a.md': 'text' })
    for (let n = 0; n < 1200; n++) {
      await writeFile(join(cwd, `docs/${n}.md`), '')
      await truncate(join(cwd, `docs/${n}.md`), 9_000_000)
    }
    const { env, simulator } = await serviceFor({})
    const { code, stderr } = await runHere(['summarize', 'docs'], { cwd, env })
    expect(code).toBe(2)
    expect(stderr).toMatch(/1,201 documents will cost about \$\d+\.\d\d .*; give --yes, or --max-cost USD/)
    expect(simulator.stats().requests).toBe(0)
  })
})

describe('the program itself', () => {
  const root = resolve(import.meta.dirname, '../..')

  it('X21 is packed with nothing but itself, runs nothing when it is installed, and installs one command', async () => {
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const listed = await new Promise<string>((resolve, reject) => {
      execFile('npm', args, { cwd: root }, (error, stdout) => (error ? reject(error) : resolve(stdout)))
    })
    const [{ files }] = JSON.parse(listed) as [{ files: { path: string }[] }]
    const expected =
      /^(dist\/[\w.-]+\.js(\.map)?|dist\/types\/[\w/-]+\.d\.ts|dist\/pages\/(serve\.html|report\.(css|js))|dist\/schemas\/(config|prompt|report)\.json|dist\/man\/claude-batch\.1|dist\/cmaps\/([\w-]+\.bcmap|LICENSE)|dist\/third-party-licenses\.txt|bin\/claude-batch\.js|prompts\/\w+\.yaml|README\.md|LICENSE|package\.json)$/
    expect(files.map(({ path }) => path).filter((path) => !expected.test(path))).toEqual([])
    const { scripts, bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(Object.keys(scripts).filter((name) => /install/.test(name))).toEqual([])
    expect(bin).toEqual({ 'claude-batch': 'bin/claude-batch.js' })
  })

  it('X22 needs no packages; those it is built of are locked by a hash, and have no script of their own', async () => {
    const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string; integrity?: string; hasInstallScript?: boolean }>
    }
    const { dependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    expect(dependencies).toBeUndefined()
    const licences = await readFile(join(root, 'dist/third-party-licenses.txt'), 'utf8')
    const built = [...licences.matchAll(/^(\S+) \d\S* \([\w.-]+\)$/gm)].map(
      ([, name]) => `node_modules/${name}`,
    )
    expect(built).toContain('node_modules/@anthropic-ai/sdk')
    const registry = 'https://registry.npmjs.org/'
    for (const [name, { resolved, integrity, hasInstallScript }] of Object.entries(packages)) {
      if (name === '') continue
      // Where it is not said, it is the registry of whoever installs.
      expect([name, resolved ?? registry]).toEqual([name, expect.stringContaining(registry)])
      if (!built.includes(name)) continue
      expect([name, integrity]).toEqual([name, expect.stringMatching(/^sha512-/)])
      expect([name, hasInstallScript]).toEqual([name, undefined])
    }
  })
  it.todo('X22 npm audit signatures, trusted publishing, provenance (of the release, not of the program)')

  it('X24 connects to the API alone, starts no other program, and looks no other name up', async () => {
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
    const cwd = await folderWith({ ...abc, 'watch.mjs': watch })
    const { env, simulator } = await serviceFor({})
    const more = { NODE_OPTIONS: `--import=${join(cwd, 'watch.mjs')}`, SEEN: join(cwd, 'seen') }
    const run = { cwd, env: { ...env, ...more }, alsoWrites: ['seen'], apart: true }
    expect((await orderlyRun(['summarize', 'docs'], run)).code).toBe(0)
    const seen = new Set((await readFile(join(cwd, 'seen'), 'utf8')).trimEnd().split('\n'))
    expect([...seen]).toEqual([`connect 127.0.0.1:${new URL(simulator.url).port}`])
  })
})
