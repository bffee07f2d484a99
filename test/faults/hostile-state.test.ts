import { execFileSync } from 'node:child_process'
import {
  appendFile,
  cp,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BatchItem } from '../../src/core/batch/batch.ts'
import {
  createItemFormatter,
  formatCreatedLine,
  formatHeaderLine,
  formatSealedLine,
} from '../../src/core/batch/batch-file.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { createEnv, createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { docs, filesBelow } from './invariants.ts'

const memory = 'summaries/.claude-batch'
const batch = '0123456789abcdef'

const summarize = ['summarize', 'docs', '--chunk-tokens', '1600']
let simulator: Simulator
let done: string

/** Creates one folder where every document has its summary; tests work on copies of it. */
beforeAll(async () => {
  simulator = await startSimulator({ latency: { medianMs: 5, sigma: 0 } })
  done = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
  await mkdir(join(done, 'docs'))
  for (const [path, text] of Object.entries(docs(['a', 'b', 'gone']))) await writeFile(join(done, path), text)
  await writeFile(join(done, 'docs/long.md'), 'A long text. '.repeat(900))
  expect(await runInProcess(summarize, { cwd: done, env: createEnv(simulator) })).toMatchObject({ code: 0 })
})
afterAll(async () => {
  await simulator.close()
  await rm(done, { recursive: true })
})

/** Creates an output folder with every kind of state file, and a folder outside it as the target of links. */
async function setting({ withBatch = false } = {}) {
  const cwd = await createFolder({})
  await cp(done, cwd, { recursive: true, preserveTimestamps: true })
  const run = (...args: string[]) => runInProcess(args, { cwd, env: createEnv(simulator) })
  await rm(join(cwd, 'docs/gone.md'))
  await writeFile(join(cwd, 'docs/new.md'), 'A new text, about gulls.\n')
  await writeFile(join(cwd, 'docs/long.md'), 'Another long text. '.repeat(900))
  if (withBatch) await addBatch(cwd, simulator.url)
  // Copies of the state, so that a command that follows a link finds usable files.
  const outside = await createFolder({})
  await cp(join(cwd, memory), join(outside, 'folder'), { recursive: true })
  const secret = (await readFile(join(cwd, memory, 'ledger.jsonl'), 'utf8')).replaceAll('docs/', 'SECRET/')
  await writeFile(join(outside, 'file'), secret)
  return { cwd, run, outside }
}

async function addBatch(cwd: string, endpoint: string): Promise<void> {
  await mkdir(join(cwd, memory, 'batches'))
  const fingerprint = { size: 3, mtimeMs: 1, sha256: 's' }
  const provenance = { settingsHash: 'r', prompt: 'summarize@v2', model: 'm' }
  const answerSettings = { maxTokens: 9, frontMatter: false }
  const asked: BatchItem['asked'] = {
    requestHash: 'k',
    fingerprint,
    characters: 30,
    kind: 'prose',
    provenance,
    answerSettings,
  }
  const time = Date.parse('2026-01-01T00:00:00.000Z')
  const lines = [
    formatHeaderLine({ localId: batch, endpoint, cwd: '..' }),
    ...createItemFormatter()(`${batch}_k_0`, { path: 'docs/c.md', asked }),
    formatSealedLine(time),
    formatCreatedLine('msgbatch_1', time),
  ]
  await writeFile(join(cwd, memory, `batches/${batch}.jsonl`), `${lines.join('\n')}\n`)
}

/** Returns the mtime, mode and content of everything in a folder, by path. */
async function everythingIn(folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const name of ['', ...(await readdir(folder, { recursive: true })).sort()]) {
    const { mtimeMs, mode } = await lstat(join(folder, name))
    const text = await readFile(join(folder, name), 'utf8').catch(() => '')
    files[name] = `${mtimeMs} ${mode} ${text}`
  }
  return files
}

const kinds = {
  'a link to a file': (file: string, outside: string) => symlink(join(outside, 'file'), file),
  'a link to nothing': (file: string, outside: string) => symlink(join(outside, 'missing'), file),
  'a link to a folder': (file: string, outside: string) => symlink(join(outside, 'folder'), file),
  'a pipe': async (file: string) => void execFileSync('mkfifo', [file]),
  'a folder': async (file: string) => void (await mkdir(file)),
}
type Kind = keyof typeof kinds

const collect = ['batches', 'collect', 'summaries']
const list = ['batches', 'list', 'summaries']
const reports = [
  ['report'],
  ['report', '--format', 'json'],
  ['report', '--format', 'html'],
  ['report', '--group-by', 'folder'],
  ['export'],
]
const prune = ['report', '--prune']
const dryRun = ['summarize', 'docs', '--dry-run']
const damagedLine = (file: string) => (cwd: string) => appendFile(join(cwd, memory, file), '{"garbage"\n')

interface State {
  readonly path: string
  /** The commands that use the path. */
  readonly used: readonly (readonly string[])[]
  /** Set if the path must be a folder. */
  readonly folder?: true
  /** Makes the commands use the path. */
  readonly before?: (cwd: string) => Promise<unknown>
}

const states: readonly State[] = [
  { path: '', used: [summarize, dryRun, ...reports, prune, list, collect], folder: true },
  { path: 'ledger.jsonl', used: [summarize, dryRun, ...reports, prune, collect] },
  { path: 'ledger.jsonl.damaged', used: [summarize], before: damagedLine('ledger.jsonl') },
  { path: 'journal.jsonl', used: [summarize, collect] },
  { path: 'journal.jsonl.damaged', used: [summarize], before: damagedLine('journal.jsonl') },
  { path: 'chunk-cache.jsonl', used: [summarize] },
  { path: 'lock', used: [summarize, prune, collect] },
  { path: 'batches', used: [summarize, dryRun, list, collect], folder: true },
  { path: `batches/${batch}.jsonl`, used: [summarize, dryRun, list, collect] },
]

describe('a state file that was replaced', () => {
  const cases = states.flatMap((state) =>
    (Object.keys(kinds) as Kind[])
      .filter((kind) => kind !== 'a folder' || state.folder === undefined)
      .map((kind) => [state.path || '.claude-batch', kind, state] as const),
  )

  it.each(cases)(
    '%s that is %s is reported and left alone, and nothing outside is read or changed',
    async (...it) => {
      const [, kind, { path, used, before }] = it
      const { cwd, run, outside } = await setting({ withBatch: true })
      await before?.(cwd)
      const place = join(cwd, memory, path)
      await rm(place, { recursive: true, force: true })
      await kinds[kind](place, outside)
      const untouched = await everythingIn(outside)
      const { ino } = await lstat(place)
      for (const args of used) {
        const { code, stdout, stderr } = await run(...args)
        const what = `${args.join(' ')}: ${stdout}${stderr}`
        expect([code, stdout], what).toEqual([6, ''])
        const lines = stderr.split('\n').filter((line) => line.includes(`cannot use ${place}: it is`))
        expect(lines, what).toHaveLength(1)
        expect(lines[0]).toMatch(
          /: it is (a symbolic link|not a regular file|not a directory); move it out of/,
        )
        expect(stderr).not.toContain('SECRET')
        expect((await lstat(place)).ino).toBe(ino)
        expect(await everythingIn(outside), what).toEqual(untouched)
      }
    },
  )

  it('a link in place of the journal is reported before any document is sent', async () => {
    const { cwd, run, outside } = await setting()
    await rm(join(cwd, memory, 'journal.jsonl'))
    await symlink(join(outside, 'file'), join(cwd, memory, 'journal.jsonl'))
    const { stderr } = await run(...summarize)
    expect(stderr).toBe(
      `claude-batch: cannot use ${join(cwd, memory, 'journal.jsonl')}: it is a symbolic link; move it out of the way\n`,
    )
  })

  it.each([
    'ledger.jsonl',
    'ledger.jsonl.damaged',
    'journal.jsonl',
    'journal.jsonl.damaged',
    'chunk-cache.jsonl',
  ])(
    '%s with a second hard link, as in a backup, is replaced, and the other link does not change',
    async (name) => {
      const { cwd, run, outside } = await setting()
      await damagedLine('journal.jsonl')(cwd)
      // Only a damaged ledger is copied to ledger.jsonl.damaged, but it is also rewritten, not appended to.
      if (name === 'ledger.jsonl.damaged') await damagedLine('ledger.jsonl')(cwd)
      const [file, backup] = [join(cwd, memory, name), join(outside, 'backup')]
      await appendFile(file, '')
      await link(file, backup)
      await utimes(backup, 1, 1)
      const before = await readFile(backup, 'utf8')
      expect(await run(...summarize)).toMatchObject({ code: 0 })
      expect(await run(...summarize, '--redo', 'all')).toMatchObject({ code: 0 })
      expect(await readFile(backup, 'utf8')).toBe(before)
      expect((await lstat(backup)).mtimeMs).toBe(1000)
      expect((await lstat(file)).ino).not.toBe((await lstat(backup)).ino)
      expect((await lstat(file)).mode & 0o777).toBe(0o600)
    },
  )

  it('a link in place of the whole output folder is followed, because the user named it', async () => {
    const { cwd, run } = await setting()
    await rename(join(cwd, 'summaries'), join(cwd, 'elsewhere'))
    await symlink('elsewhere', join(cwd, 'summaries'))
    expect(await run(...summarize)).toMatchObject({ code: 0 })
    expect(await run(...prune)).toMatchObject({ code: 0 })
    expect((await lstat(join(cwd, 'summaries'))).isSymbolicLink()).toBe(true)
    expect(await filesBelow(join(cwd, 'elsewhere'))).toContain('docs/new.md.summary.md')
  })

  it('a link in place of the folder of a variant is reported by compare', async () => {
    const { cwd, run, outside } = await setting()
    const compare = ['compare', 'docs/a.md', '--models', 'haiku', '--prompts', 'summarize@v1,summarize@v2']
    expect((await run(...compare, '-o', 'comparison')).code).toBe(0)
    const arm = (await readdir(join(cwd, 'comparison'))).find((name) => name.includes('v1')) ?? ''
    await rm(join(cwd, 'comparison', arm), { recursive: true })
    await symlink(join(outside, 'folder'), join(cwd, 'comparison', arm))
    const untouched = await everythingIn(outside)
    const { code, stderr } = await run(...compare, '-o', 'comparison')
    expect([code, stderr]).toEqual([6, expect.stringContaining(`${arm}: it is a symbolic link`)])
    expect(await everythingIn(outside)).toEqual(untouched)
  })
})

describe('the path of a summary', () => {
  const place = 'summaries/docs/a.md.summary.md'

  it.each(['a link to a file', 'a link to nothing', 'a link to a folder', 'a pipe'] as const)(
    'a path that is %s counts as edited by hand, and no report, digest or export quotes the target',
    async (kind) => {
      const { cwd, run, outside } = await setting()
      await rm(join(cwd, place))
      await kinds[kind](join(cwd, place), outside)
      const untouched = await everythingIn(outside)
      for (const format of ['json', 'html', 'md'])
        expect((await run('report', '--format', format)).stdout).not.toContain('SECRET')
      const exported = await run('export')
      expect(exported).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('docs/a.md: the summary is missing'),
      })
      expect(exported.stdout).not.toContain('SECRET')
      const { stderr } = await run(...summarize, '--digest', 'digest.md', '-v')
      expect(stderr).toContain('docs/a.md: skipped: unchanged; its summary was edited by hand')
      expect(await readFile(join(cwd, 'digest.md'), 'utf8')).not.toContain('SECRET')
      await writeFile(join(cwd, 'docs/a.md'), 'A changed text.\n')
      expect((await run(...summarize)).stderr).toContain('docs/a.md: its summary was edited by hand')
      expect((await run('summarize', 'docs/a.md', '--force')).code).toBe(0)
      expect((await lstat(join(cwd, place))).isFile()).toBe(true)
      expect(await everythingIn(outside)).toEqual(untouched)
    },
  )

  it('a path in a folder that is a link is not written, read, pruned or swept', async () => {
    const { cwd, run, outside } = await setting()
    await rename(join(cwd, 'summaries/docs'), join(outside, 'docs'))
    await writeFile(join(outside, 'docs/.claude-batch-0123456789ab-1.tmp'), 'half')
    await symlink(join(outside, 'docs'), join(cwd, 'summaries/docs'))
    const untouched = await everythingIn(outside)
    for (const args of [
      [...summarize, '--redo', 'all', '--force'],
      [...summarize, '--digest', 'd.md', '--digest-per', 'folder'],
      prune,
    ]) {
      const { stderr } = await run(...args)
      expect(stderr).not.toMatch(/this is a bug/)
      expect(await everythingIn(outside), args.join(' ')).toEqual(untouched)
    }
    const { code, stderr } = await run('summarize', 'docs/new.md')
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('docs/new.md: the folder of its summary is behind a symbolic link, docs;'),
    ])
    const html = await run('report', '--format', 'html')
    expect(html.stdout).not.toContain('[simulated]')
    expect((await run('export', '--path', 'docs')).stdout).toBe('')
  })

  it('an error record that is a folder, a pipe or a link causes no failure and is not removed', async () => {
    for (const put of Object.values(kinds)) {
      const { cwd, run, outside } = await setting()
      const record = join(cwd, 'summaries/docs/a.md.error.txt')
      await put(record, outside)
      const { ino } = await lstat(record)
      const untouched = await everythingIn(outside)
      expect((await run('summarize', 'docs/a.md', '--redo', 'all')).code).toBe(0)
      expect((await lstat(record)).ino).toBe(ino)
      expect(await everythingIn(outside)).toEqual(untouched)
    }
  })
})
