import { renameSync, symlinkSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { startRecordingServer } from '../support/recording-server.ts'
import { runChecked } from '../support/run-checked.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const prose = (topic: string) =>
  `# About ${topic}\n\nThe harbour board met about ${topic} and decided to dredge the channel.\n`
const abc = { 'docs/a.md': prose('ale'), 'docs/b.md': prose('beer'), 'docs/c.md': prose('cider') }
const saying = (text: string): Behaviour => ({ kind: 'answer', delayMs: 5, text })

describe('a hostile input folder', () => {
  it('X12 X13 settings, prompts and .env in an input folder are never read, even if it is the working directory', async () => {
    const evil = await startRecordingServer()
    const settings = `base_url: ${evil.url}\nendpoint: ${evil.url}\nheaders: {x: y}\nprompt: evil\nmodel: evil\n`
    const planted = {
      'claude-batch.yaml': settings,
      'claude-batch.yml': settings,
      '.claude-batch.yaml': settings,
      '.env': `ANTHROPIC_BASE_URL=${evil.url}\nANTHROPIC_AUTH_TOKEN=planted\n`,
      'prompts/summarize.yaml': 'versions:\n  v9:\n    user_template: "{text} evil"\n',
    }
    const inside = Object.fromEntries(Object.entries(planted).map(([name, text]) => [`docs/${name}`, text]))
    const cwd = await createFolder({ ...abc, ...inside })
    const { env, simulator } = await startService({})
    const within = await runChecked(['summarize', '.'], { cwd: join(cwd, 'docs'), env })
    expect([within.code, within.stderr]).toEqual([
      0,
      expect.stringContaining('summarize@v3 (latest, shipped)'),
    ])
    expect(simulator.stats().requests).toBe(3)
    const alone = await runChecked(['summarize', '.', '-o', 'other'], { cwd: join(cwd, 'docs') })
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('no credentials found')])
    expect(evil.bodies).toEqual([])
  })

  it('X14 a redirect sends no document to another host', async () => {
    const evil = await startRecordingServer()
    const cwd = await createFolder(abc)
    const headers = { location: `${evil.url}/v1/messages` }
    const { env } = await startService({ script: () => ({ kind: 'raw', status: 307, headers, body: '' }) })
    const { code, stderr, written } = await runChecked(['summarize', 'docs'], { cwd, env })
    expect([code, Object.keys(written)]).toEqual([4, []])
    expect(stderr).toContain('redirected to http://127.0.0.1')
    expect(evil.bodies).toEqual([])
  })

  it('X15 inputs with .. in their paths are read, and their summaries stay below the output folder', async () => {
    const cwd = await createFolder({ 'x/y/z/a.md': prose('ale'), 'up.md': prose('up') })
    const { env } = await startService({})
    const here = join(cwd, 'x/y/z')
    const input = '../../../up.md\n../../../x/../up.md\n../z/a.md\n'
    const { code, written } = await runChecked(['summarize', '--files-from', '-', '-o', 'out'], {
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

  it('X15 a link below the output folder is not written through', async () => {
    const [cwd, elsewhere] = [await createFolder(abc), await createFolder({})]
    await mkdir(join(cwd, 'summaries'))
    await symlink(elsewhere, join(cwd, 'summaries/docs'))
    const { env } = await startService({})
    const { code, stderr } = await runChecked(['summarize', 'docs'], { cwd, env })
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(
        'the folder of its summary is behind a symbolic link, docs; remove the link, or',
      ),
    ])
    expect(await readdir(elsewhere)).toEqual([])
  })

  it.each(['ledger', 'journal'])(
    'X15 a %s entry with a path outside the output folder has no effect there',
    async (which) => {
      const cwd = await createFolder(abc)
      const { env } = await startService({})
      const run = (...args: string[]) =>
        runChecked(['summarize', 'work/docs', ...args], { cwd, env, out: 'work/out' }).catch((error) => error)
      await mkdir(join(cwd, 'work'))
      await rename(join(cwd, 'docs'), join(cwd, 'work/docs'))
      await run('-o', 'work/out')
      const memory = join(cwd, 'work/out/.claude-batch')
      const ledger = await readFile(join(memory, 'ledger.jsonl'), 'utf8')
      if (which === 'ledger') {
        const text = ledger.replace('work/docs/a.md.summary.md', '../../stolen/a.md.summary.md')
        await writeFile(join(memory, 'ledger.jsonl'), text)
      } else {
        const line = { ...JSON.parse(ledger.split('\n')[1] ?? ''), ended_at: '2030-01-01T00:00:00.000Z' }
        const entry = JSON.stringify({ entry: line, path: '../../stolen/a.txt', text: 'evil' })
        await writeFile(join(memory, 'journal.jsonl'), `${entry}\nnull\n{}\n5\n`)
      }
      expect(await run('-o', 'work/out', '--force')).toMatchObject({ code: 0 })
      expect((await readdir(cwd)).sort()).toEqual(['work'])
    },
  )

  it('X16 a folder that becomes a link during a request is not written through, and no summary is lost', async () => {
    const [cwd, elsewhere] = [await createFolder({ 'docs/a.md': prose('ale') }), await createFolder({})]
    const [folder, aside] = [join(cwd, 'summaries/docs'), join(cwd, 'summaries/aside')]
    const { env, simulator } = await startService({
      script: ({ index }) => {
        if (index === 1) {
          renameSync(folder, aside)
          symlinkSync(elsewhere, folder)
        }
        return saying('A summary.')
      },
    })
    const run = () => runChecked(['summarize', 'docs'], { cwd, env })
    expect((await run()).code).toBe(0)
    await writeFile(join(cwd, 'docs/b.md'), prose('beer'))
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([
      6,
      expect.stringMatching(/cannot use .*summaries\/docs: it is a symbolic link; move it out of the way/),
    ])
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

  it('X18 10 GB of documents are refused without --yes or --max-cost if there is no terminal to ask', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'text' })
    for (let n = 0; n < 1200; n++) {
      await writeFile(join(cwd, `docs/${n}.md`), '')
      await truncate(join(cwd, `docs/${n}.md`), 9_000_000)
    }
    const { env, simulator } = await startService({})
    const { code, stderr } = await runInProcess(['summarize', 'docs'], { cwd, env })
    expect(code).toBe(2)
    expect(stderr).toMatch(/1,201 documents will cost about \$\d+\.\d\d .*; give --yes, or --max-cost USD/)
    expect(simulator.stats().requests).toBe(0)
  })
})

describe('the package', () => {
  const root = resolve(import.meta.dirname, '../..')

  it('X22 the package has no dependencies; bundled packages are locked by a hash and have no install script', async () => {
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
      // An entry without a URL comes from the registry that npm is configured to use.
      expect([name, resolved ?? registry]).toEqual([name, expect.stringContaining(registry)])
      if (!built.includes(name)) continue
      expect([name, integrity]).toEqual([name, expect.stringMatching(/^sha512-/)])
      expect([name, hasInstallScript]).toEqual([name, undefined])
    }
  })
  it.todo(
    'X22 npm audit signatures, trusted publishing and provenance (these concern the release, not the program)',
  )
})
