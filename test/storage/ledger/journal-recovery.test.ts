import { createHash } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type DocumentEntry, ledgerFormatVersion } from '../../../src/core/run/ledger-entry.ts'
import type { Behaviour } from '../../../src/simulator/script.ts'
import { createFolder, startService } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'
import { has } from '../../support/system.ts'

const answer: Behaviour = { kind: 'answer', delayMs: 1 }
const documents = {
  'docs/a.md': 'A note on the ferry, which sails at nine.\n',
  'docs/b.md': 'B note on the pier, which was rebuilt.\n',
  '.git/config': '[core]\n',
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const later = '2099-01-01T00:00:00.000Z'
const paid = 'What the run before had paid for.\n'

/** Creates an output folder next to the documents, as after one run; the next run recovers its journal. */
async function setting() {
  const cwd = await createFolder(documents)
  const { simulator, env } = await startService({ script: () => answer })
  const memory = join(cwd, '.claude-batch')
  const run = async (...args: string[]) => {
    const before = simulator.stats().requests
    const ended = await runInProcess(['summarize', 'docs', '-o', '.', '-q', ...args], { cwd, env })
    return { ...ended, hits: simulator.stats().requests - before }
  }
  expect(await run()).toMatchObject({ code: 0, hits: 2 })
  const lines = (await readFile(join(memory, 'ledger.jsonl'), 'utf8')).trimEnd().split('\n')
  const lineOf = (path: string): DocumentEntry =>
    JSON.parse(lines.find((line) => line.includes(`"path":"${path}"`)) ?? '{}')
  return {
    cwd,
    env,
    run,
    lineOf,
    text: (path: string) => readFile(join(cwd, path), 'utf8'),
    /** Removes a document from the ledger, as if the run had been killed before recording it. */
    async forget(path: string) {
      const others = lines.filter((line) => !line.includes(`"path":"${path}"`))
      await writeFile(join(memory, 'ledger.jsonl'), `${others.join('\n')}\n`)
    },
    async rewrite(change: (line: DocumentEntry) => DocumentEntry) {
      const changed = lines.map((line) => JSON.stringify(change(JSON.parse(line))))
      await writeFile(join(memory, 'ledger.jsonl'), `${changed.join('\n')}\n`)
    },
    async keep(entry: { path?: string; file: string; text?: string; line?: object; run?: object }) {
      const { path = 'docs/b.md', file, text = paid } = entry
      const { output: _, ...line } = { ...lineOf('docs/b.md'), path, ...entry.line }
      const kept = { entry: line, path: file, text, ...(entry.run && { run: entry.run }) }
      await appendFile(join(memory, 'journal.jsonl'), `${JSON.stringify(kept)}\n`)
    },
    async recovered() {
      const names = await readdir(join(memory, 'recovered')).catch(() => [])
      return Promise.all(names.map((name) => readFile(join(memory, 'recovered', name), 'utf8')))
    },
    journalDamage: () => readFile(join(memory, 'journal.jsonl.damaged'), 'utf8').catch(() => ''),
  }
}

describe('an entry of the journal', () => {
  it.each([
    ['a file that is not a summary', '.git/config', 'docs/b.md'],
    ['the summary of another document', 'docs/a.md.summary.md', 'docs/b.md'],
    ['a file of that name in another folder', 'other/b.md.summary.md', 'docs/b.md'],
    ['a file outside the output folder', '../b.md.summary.md', 'docs/b.md'],
    ['a file of the state folder', '.claude-batch/b.md.summary.md', '.claude-batch/b.md'],
  ])('that names %s does not change it, and its text is kept', async (_, file, path) => {
    const { forget, keep, run, cwd, journalDamage } = await setting()
    await forget('docs/b.md')
    await rm(join(cwd, 'docs/b.md.summary.md'))
    const before = await readFile(join(cwd, file), 'utf8').catch(() => 'none')
    for (const time of [later, '1970-01-01T00:00:00.000Z'])
      await keep({ file, path, line: { ended_at: time } })
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(
        /^claude-batch: 2 lines of the journal cannot be read and .*journal\.jsonl\.damaged\n$/,
      ),
    ])
    expect(await readFile(join(cwd, file), 'utf8').catch(() => 'none')).toBe(before)
    expect(await journalDamage()).toContain(JSON.stringify(paid))
  })

  it.each([
    ['that is untracked', true, later],
    ['that is untracked, with an old entry', true, '1970-01-01T00:00:00.000Z'],
    ['that was edited by hand', false, later],
  ])('does not replace a summary %s; its text is saved elsewhere and reported', async (_, unknown, time) => {
    const { forget, keep, run, cwd, text, recovered } = await setting()
    if (unknown) await forget('docs/b.md')
    await writeFile(join(cwd, 'docs/b.md.summary.md'), 'My own words.\n')
    await keep({ file: 'docs/b.md.summary.md', line: { ended_at: time } })
    const { code, hits, stderr } = await run()
    expect([code, hits]).toEqual([0, 0])
    expect(stderr).toMatch(
      /^claude-batch: .*docs[/\\]b\.md\.summary\.md was edited by hand or not written by claude-batch, .* is in .*\.claude-batch[/\\]recovered[/\\][0-9a-f]{12}-b\.md\.summary\.md; keep one of the two\n$/,
    )
    expect(await text('docs/b.md.summary.md')).toBe('My own words.\n')
    expect(await recovered()).toEqual([paid])
    expect(await run()).toMatchObject({ code: 0, hits: 0, stderr: '' })
    expect(await run('--redo', 'all', '--force')).toMatchObject({ code: 0, hits: 2 })
    expect(await text('docs/b.md.summary.md')).not.toBe('My own words.\n')
  })

  it.runIf(has.shortPaths)(
    'with a path that is too long is saved elsewhere, and the run goes on',
    async () => {
      const { run, keep, recovered } = await setting()
      const deep = `docs/${`${'d'.repeat(200)}/`.repeat(21)}b.md`
      await keep({ path: deep, file: `${deep}.summary.md`, line: { ended_at: later } })
      const { code, hits } = await run()
      expect([code, hits]).toEqual([0, 0])
      expect(await recovered()).toEqual([paid])
    },
  )

  it('replaces a tracked summary, even if the entry is older', async () => {
    const { keep, run, text, recovered } = await setting()
    await keep({ file: 'docs/b.md.summary.md', line: { ended_at: '1970-01-01T00:00:00.000Z' } })
    expect(await run()).toMatchObject({ code: 0, hits: 0, stderr: '' })
    expect(await text('docs/b.md.summary.md')).toBe(paid)
    expect(await recovered()).toEqual([])
  })

  it('whose text is already in place is only recorded', async () => {
    const { forget, keep, run, cwd, recovered } = await setting()
    await forget('docs/b.md')
    await writeFile(join(cwd, 'docs/b.md.summary.md'), paid)
    await keep({ file: 'docs/b.md.summary.md' })
    expect(await run()).toMatchObject({ code: 0, hits: 0, stderr: '' })
    expect(await recovered()).toEqual([])
  })

  it('with a hash in its name, because of a name collision, is put in place', async () => {
    const { forget, keep, run, text } = await setting()
    await forget('docs/b.md')
    await keep({ file: 'docs/b.md.~0123456789ab.summary.md' })
    expect((await run()).hits).toBe(0)
    expect(await text('docs/b.md.~0123456789ab.summary.md')).toBe(paid)
  })

  it('of a run in another working directory is put in place, and later runs keep its name', async () => {
    const { forget, keep, run, text, env, cwd } = await setting()
    await forget('docs/b.md')
    await rm(join(cwd, 'docs/b.md.summary.md'))
    const owner = {
      type: 'run_start',
      format_version: ledgerFormatVersion,
      started_at: '2026-11-22T03:00:00.000Z',
      run_id: 'x',
      program_version: '1',
      cwd: 'docs',
    }
    await keep({
      path: 'b.md',
      file: 'docs/b.md.summary.md',
      run: { ...owner, prompt: 'summarize@v2', model: 'm' },
    })
    expect((await run()).hits).toBe(0)
    expect(await text('docs/b.md.summary.md')).toBe(paid)
    const below = await runInProcess(['summarize', '.', '-o', '..', '-q'], { cwd: join(cwd, 'docs'), env })
    expect(below).toMatchObject({ code: 0, stderr: '' })
    expect(await text('docs/b.md.summary.md')).toBe(paid)
  })

  it('about a failure does not replace a file of the user at the path of the error record', async () => {
    const { keep, run, cwd, text, recovered } = await setting()
    const record = 'ERROR: reply max_tokens: cut off\n\nThe text that was paid for:\n\nHalf a summary\n'
    await writeFile(join(cwd, 'docs/b.md.error.txt'), 'My own.\n')
    await keep({ file: 'docs/b.md.error.txt', text: record, line: { ended_at: later, status: 'failed' } })
    const { stderr } = await run()
    expect(stderr).toMatch(/docs[/\\]b\.md\.error\.txt was edited by hand or not written/)
    expect(await text('docs/b.md.error.txt')).toBe('My own.\n')
    expect(await recovered()).toEqual([record])
  })

  it('about a summary whose path is a folder does not block later runs', async () => {
    const { forget, keep, run, cwd, recovered } = await setting()
    await forget('docs/b.md')
    await rm(join(cwd, 'docs/b.md.summary.md'))
    await mkdir(join(cwd, 'docs/b.md.summary.md'))
    await keep({ file: 'docs/b.md.summary.md' })
    expect((await run()).hits).toBe(0)
    expect(await recovered()).toEqual([paid])
  })

  it.each([
    ['no text', { path: 'docs/b.md.summary.md' }],
    ['no file', { text: paid }],
    ['a number instead of a text', { path: 'docs/b.md.summary.md', text: 5 }],
    ['an invalid run', { path: 'docs/b.md.summary.md', text: paid, run: { run_id: 5 } }],
  ])('with %s is damaged', async (_, entry) => {
    const { forget, run, lineOf, cwd } = await setting()
    await forget('docs/b.md')
    await rm(join(cwd, 'docs/b.md.summary.md'))
    const { output: __, ...line } = lineOf('docs/b.md')
    await writeFile(
      join(cwd, '.claude-batch/journal.jsonl'),
      `${JSON.stringify({ entry: line, ...entry })}\n`,
    )
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([0, expect.stringContaining('1 line of the journal cannot be read')])
  })
})

describe('a ledger that was edited', () => {
  const own = 'My own words.\n'
  /** Creates a file of the user. @returns its `output` fields, as if a run had written it */
  const outputAt = async (cwd: string, file: string) => {
    await mkdir(dirname(join(cwd, file)), { recursive: true })
    await writeFile(join(cwd, file), own)
    const { size, mtimeMs } = await stat(join(cwd, file))
    return { path: file, size_bytes: size, mtime_ms: mtimeMs, sha256: sha256(own) }
  }

  it.each([
    ['.git/config', /1 line of the ledger cannot be read \(docs\/b\.md\)/],
    ['notes/own.summary.md', /docs\/b\.md: the output file exists.*use --force to overwrite it/],
    ['docs/c.md.summary.md', /docs\/b\.md: the output file exists.*use --force to overwrite it/],
  ])('to name %s as a summary does not cause that file to be replaced', async (file, expected) => {
    const { rewrite, run, cwd, text } = await setting()
    const output = await outputAt(cwd, file)
    await rewrite((line) => (line.path === 'docs/b.md' ? { ...line, output } : line))
    await writeFile(join(cwd, 'docs/b.md'), 'Something else altogether.\n')
    expect((await run()).stderr).toMatch(expected)
    expect(await text(file)).toBe(own)
    expect(await run('--redo', 'all', '--force')).toMatchObject({ code: 0, hits: 2 })
    expect([await text(file), await text('docs/b.md.summary.md')]).toEqual([
      own,
      '[simulated] Something else altogether.\n',
    ])
  })

  it.each(['.git/config', 'notes/own.summary.md', 'docs/c.md.summary.md', 'docs/c.md.error.txt'])(
    'to name %s as a stale summary does not cause that file to be deleted',
    async (file) => {
      const { rewrite, cwd, env, text } = await setting()
      const output = await outputAt(cwd, file)
      await rewrite((line) => (line.path === 'docs/b.md' ? { ...line, output } : line))
      await rename(join(cwd, 'docs/b.md'), join(cwd, 'b.md'))
      const { code } = await runInProcess(['report', '.', '--prune'], { cwd, env })
      expect([code, await text(file)]).toEqual([0, own])
    },
  )

  it('to be damaged does not cause a file to be replaced if its hash is unreadable', async () => {
    const { rewrite, run, cwd, text } = await setting()
    const output = await outputAt(cwd, 'docs/b.md.summary.md')
    await rewrite((line) => ({ ...line, ...(line.path === 'docs/b.md' && { usage: 'x' as never }) }))
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([1, expect.stringContaining('docs/b.md: the output file exists')])
    expect(await text('docs/b.md.summary.md')).toBe(own)
    await rm(join(cwd, 'docs/b.md.error.txt'))
    await rewrite((line) => (line.path === 'docs/b.md' ? { ...line, output, usage: 'x' as never } : line))
    expect(await run()).toMatchObject({ code: 0, hits: 1 })
  })

  it('to name a file outside as an error record does not cause a report to quote it', async () => {
    const { rewrite, cwd, env } = await setting()
    const output = { path: '../SECRET', size_bytes: 1, mtime_ms: 1, sha256: 'x' }
    await writeFile(join(dirname(cwd), 'SECRET'), 'SECRET content')
    await rewrite((line) => (line.path === 'docs/b.md' ? { ...line, status: 'failed', output } : line))
    for (const format of ['md', 'html']) {
      const { code, stdout } = await runInProcess(['report', '.', '--format', format], { cwd, env })
      expect([code, stdout]).toEqual([0, expect.not.stringContaining('SECRET content')])
    }
    await rm(join(dirname(cwd), 'SECRET'))
  })
})
