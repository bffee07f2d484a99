import { execFileSync } from 'node:child_process'
import { appendFile, lstat, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { type InProcessResult, runInProcess } from '../support/run-in-process.ts'

const answer: Behaviour = { kind: 'answer', delayMs: 1 }
const names = ['a', 'b', 'c']
const documents = Object.fromEntries(
  names.map((name) => [`docs/${name}.md`, `# Note ${name}\n\nThe ferry ${name} sails at nine.\n`]),
)

interface Setting {
  readonly cwd: string
  /** Runs claude-batch, and counts its requests in `hits`. */
  readonly run: (...args: string[]) => Promise<InProcessResult & { readonly hits: number }>
  readonly summary: (name: string) => Promise<string>
  readonly path: (name: string) => string
  /** The behaviour of the API for a prompt, from now on. */
  behave: (text: string) => Behaviour
}

async function setting(files: Record<string, string> = documents): Promise<Setting> {
  const cwd = await createFolder(files)
  const { simulator, env } = await startService({ script: ({ request }) => setting.behave(request.text) })
  const path = (name: string) => join(cwd, `summaries/docs/${name}.md.summary.md`)
  const setting: Setting = {
    cwd,
    path,
    async run(...args) {
      const before = simulator.stats().requests
      const ended = await runInProcess(['summarize', 'docs', ...args], { cwd, env })
      return { ...ended, hits: simulator.stats().requests - before }
    },
    summary: (name) => readFile(path(name), 'utf8'),
    behave: () => answer,
  }
  return setting
}

const ledgerLines = async (cwd: string) =>
  (await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8')).trimEnd().split('\n')

describe('a second run', () => {
  it('sends and writes nothing if nothing has changed', async () => {
    const { run, cwd, path } = await setting()
    expect(await run()).toMatchObject({ code: 0, hits: 3 })
    const before = await Promise.all([ledgerLines(cwd), stat(path('a'))])
    const again = await run()
    expect(again).toMatchObject({ code: 0, hits: 0, stdout: '' })
    expect(again.stderr).toContain('0 summarized, 3 skipped (3 unchanged)')
    const [lines, { mtimeMs, ino }] = await Promise.all([ledgerLines(cwd), stat(path('a'))])
    expect([lines, mtimeMs, ino]).toEqual([before[0], before[1].mtimeMs, before[1].ino])
  })

  it('sends nothing if git has changed all line ends to CRLF', async () => {
    const { run, cwd } = await setting({ ...documents, 'docs/bad.md': 'BAD\n' })
    expect(await run('--front-matter', '--digest', 'digest.md')).toMatchObject({ hits: 5 })
    const paths = ['docs', 'summaries'].map((folder) => readdir(join(cwd, folder), { recursive: true }))
    const [inputs = [], outputs = []] = await Promise.all(paths)
    const files = [
      'digest.md',
      ...inputs.map((path) => `docs/${path}`),
      ...outputs.map((path) => `summaries/${path}`),
    ]
    for (const file of files.filter((file) => /\.\w+$/.test(file))) {
      const text = await readFile(join(cwd, file), 'utf8').catch(() => '')
      if (text !== '') await writeFile(join(cwd, file), text.replaceAll('\n', '\r\n'))
    }
    const again = await run('--front-matter', '--digest', 'digest.md')
    expect(again).toMatchObject({ code: 0, hits: 0 })
    expect(again.stderr).toContain('0 summarized, 4 skipped (4 unchanged)')
  })

  it('prints nothing on success with -q, like the first run', async () => {
    const { run } = await setting()
    for (const hits of [3, 0])
      expect(await run('-q')).toMatchObject({ code: 0, hits, stdout: '', stderr: '' })
  })

  it('summarizes only changed and new documents', async () => {
    const { run, cwd } = await setting()
    await run()
    await writeFile(join(cwd, 'docs/b.md'), 'Another text altogether, about something else.')
    await writeFile(join(cwd, 'docs/d.md'), 'A new one, about gulls.')
    const { hits, stderr } = await run()
    expect(hits).toBe(2)
    expect(stderr).toContain('2 summarized, 2 skipped (2 unchanged)')
    expect(stderr).toMatch(/redone +1 \(document changed\)/)
  })

  it('sends a failed document again, and removes its error record after a success', async () => {
    const it = await setting()
    it.behave = (text) => (text.includes('Note b') ? { kind: 'status', status: 422 } : answer)
    expect(await it.run()).toMatchObject({ code: 1, hits: 3 })
    expect(await it.run()).toMatchObject({ code: 1, hits: 1 })
    it.behave = () => answer
    expect(await it.run()).toMatchObject({ code: 0, hits: 1 })
    expect((await readdir(join(it.cwd, 'summaries/docs'))).sort()).toEqual(
      names.map((name) => `${name}.md.summary.md`),
    )
    expect(await it.run()).toMatchObject({ code: 0, hits: 0 })
  })

  it('sends no request for a file whose time alone changed, and records the new time', async () => {
    const { run, cwd } = await setting()
    await run()
    await utimes(join(cwd, 'docs/a.md'), 1, 1)
    const lines = await ledgerLines(cwd)
    expect(await run()).toMatchObject({ code: 0, hits: 0 })
    expect(await ledgerLines(cwd)).toHaveLength(lines.length + 3)
    expect(await run()).toMatchObject({ code: 0, hits: 0 })
    expect(await ledgerLines(cwd)).toHaveLength(lines.length + 3)
  })

  it.each([
    ['prompt', ['--prompt', 'summarize@v1'], 'prompt: summarize@v3 → summarize@v1'],
    ['model', ['--model', 'sonnet'], 'model: claude-haiku-5-5 → claude-sonnet-5-5'],
    ['parameter', ['--max-tokens', '500'], 'settings changed'],
  ])(
    'with --redo settings summarizes everything again with another %s, and reports the reason',
    async (_name, args, reason) => {
      const { run } = await setting()
      await run()
      const { hits, stderr } = await run(...args, '--redo', 'settings')
      expect(hits).toBe(3)
      expect(stderr).toContain(`3 (${reason})`)
      expect(await run(...args)).toMatchObject({ hits: 0 })
    },
  )

  it('sends nothing again when a gateway gets a new address', async () => {
    const first = await setting()
    await first.run()
    const { simulator, env } = await startService({})
    const { code, stderr } = await runInProcess(['summarize', 'docs'], { cwd: first.cwd, env })
    expect(code).toBe(0)
    expect(stderr).toContain('0 summarized, 3 skipped (3 unchanged)')
    expect(simulator.stats().requests).toBe(0)
  })

  it('counts only successful documents as redone', async () => {
    const it = await setting()
    await it.run()
    it.behave = (text) => (text.includes('Note b') ? { kind: 'status', status: 422 } : answer)
    const { hits, stderr } = await it.run('--redo', 'all')
    expect(hits).toBe(3)
    expect(stderr).toMatch(/^redone +2 \(requested with --redo\): docs\/a\.md, docs\/c\.md$/m)
  })

  it('with --redo all summarizes everything again, except documents whose summary was edited by hand', async () => {
    const { run, path, summary } = await setting()
    await run()
    const { hits, stderr } = await run('--redo', 'all')
    expect(hits).toBe(3)
    expect(stderr).toContain('3 (requested with --redo)')
    await appendFile(path('a'), 'And a word of mine.\n')
    expect(await run('--redo', 'all')).toMatchObject({ code: 1, hits: 2 })
    expect(await summary('a')).toContain('a word of mine')
    expect(await run('--redo', 'all', '--force')).toMatchObject({ code: 0, hits: 3 })
    expect(await summary('a')).not.toContain('a word of mine')
  })

  it('with --redo failed processes only documents with an error record', async () => {
    const it = await setting()
    it.behave = (text) => (text.includes('Note b') ? { kind: 'status', status: 422 } : answer)
    await it.run()
    await writeFile(join(it.cwd, 'docs/a.md'), 'Another text altogether, about something else.')
    await writeFile(join(it.cwd, 'docs/d.md'), 'A new one, about gulls.')
    const { stdout } = await it.run('--redo', 'failed', '--dry-run')
    expect(stdout).toMatch(
      /^documents +1 to summarize, 1 unchanged, 2 skipped \(2 without an error record\)$/m,
    )
    it.behave = () => answer
    const { code, hits, stderr } = await it.run('--redo', 'failed')
    expect([code, hits]).toEqual([0, 1])
    expect(stderr).toContain('3 skipped (2 without an error record: docs/a.md, docs/d.md; 1 unchanged)')
    expect(await it.run('--redo', 'failed')).toMatchObject({ code: 0, hits: 0 })
    expect(await it.run()).toMatchObject({ code: 0, hits: 2 })
  })

  it('with --redo failed,settings processes failed documents and those with other settings', async () => {
    const it = await setting()
    it.behave = (text) => (text.includes('Note b') ? { kind: 'status', status: 422 } : answer)
    await it.run()
    await writeFile(join(it.cwd, 'docs/d.md'), 'A new one, about gulls.')
    it.behave = () => answer
    const { code, hits, stderr } = await it.run('--words', '50', '--redo', 'failed, settings')
    expect([code, hits]).toEqual([0, 3])
    expect(stderr).toContain('1 without an error record: docs/d.md')
    expect(await it.run('--words', '50', '--redo', 'failed,all')).toMatchObject({ code: 0, hits: 4 })
  })

  it('with --redo failed in a new output folder sends nothing and needs no confirmation', async () => {
    const { run } = await setting()
    const { code, hits, stderr } = await run('--redo', 'failed', '--confirm-above', '0')
    expect([code, hits]).toEqual([0, 0])
    expect(stderr).toContain('3 skipped (3 without an error record')
  })

  it('rejects --redo with -o -, because there are no earlier results', async () => {
    const { run } = await setting()
    expect(await run('-o', '-', '--redo', 'all')).toMatchObject({
      code: 2,
      hits: 0,
      stderr: expect.stringContaining('--redo needs an output folder with earlier results'),
    })
  })

  it('with --force does not redo summaries that are up to date', async () => {
    const { run, path, summary } = await setting()
    await run()
    expect(await run('--force')).toMatchObject({ code: 0, hits: 0 })
    await appendFile(path('a'), 'And a word of mine.\n')
    const { code, hits, stderr } = await run('--force')
    expect([code, hits]).toEqual([0, 1])
    expect(stderr).toMatch(/redone +1 \(requested with --force\): docs\/a\.md/)
    expect(await summary('a')).not.toContain('a word of mine')
  })

  it('creates a deleted summary again', async () => {
    const { run, path, summary } = await setting()
    await run()
    const before = await summary('a')
    await rm(path('a'))
    const { hits, stderr } = await run()
    expect(hits).toBe(1)
    expect(stderr).toContain('1 (summary deleted): docs/a.md')
    expect(await summary('a')).toBe(before)
  })

  it('keeps a summary that was edited by hand, and reports it', async () => {
    const { run, path, summary } = await setting()
    await run()
    await appendFile(path('a'), 'And a word of mine.\n')
    const { code, hits, stderr } = await run()
    expect([code, hits]).toEqual([0, 0])
    expect(stderr).toContain('1 edited by hand: docs/a.md')
    expect(await summary('a')).toContain('a word of mine')
  })

  it('does not overwrite an edited summary whose document changed without --force', async () => {
    const { run, cwd, path, summary } = await setting()
    await run()
    await appendFile(path('a'), 'And a word of mine.\n')
    await appendFile(join(cwd, 'docs/a.md'), 'It now sails at ten.\n')
    const { code, hits, stderr } = await run()
    expect([code, hits]).toEqual([1, 0])
    expect(stderr).toMatch(/docs\/a\.md: its summary was edited by hand.*use --force to overwrite it/)
    expect(await summary('a')).toContain('a word of mine')
    expect(await run('--force')).toMatchObject({ code: 0, hits: 1 })
    expect(await summary('a')).not.toContain('a word of mine')
  })

  it('removes the failure of an edited summary if the change of its document is reverted', async () => {
    const { run, cwd, path, summary } = await setting()
    await run()
    await appendFile(path('a'), 'And a word of mine.\n')
    const before = await readFile(join(cwd, 'docs/a.md'), 'utf8')
    await appendFile(join(cwd, 'docs/a.md'), 'It now sails at ten.\n')
    expect(await run()).toMatchObject({ code: 1, hits: 0 })
    expect(await readdir(join(cwd, 'summaries/docs'))).toContain('a.md.error.txt')
    await writeFile(join(cwd, 'docs/a.md'), before)
    for (const _ of ['now', 'and from then on'])
      expect(await run()).toMatchObject({
        code: 0,
        hits: 0,
        stderr: expect.stringContaining('1 edited by hand'),
      })
    expect(await readdir(join(cwd, 'summaries/docs'))).not.toContain('a.md.error.txt')
    expect(await summary('a')).toContain('a word of mine')
    const { stdout } = await runInProcess(['report'], { cwd, env: {} })
    expect(stdout).toContain('3 documents with a summary, 0 failing, 0 stale')
    const lines = await ledgerLines(cwd)
    await run()
    expect(await ledgerLines(cwd)).toEqual(lines)
  })

  it('does not overwrite an untracked file without --force', async () => {
    const it = await setting({ ...documents, 'summaries/docs/a.md.summary.md': 'My own.' })
    const { code, hits, stderr } = await it.run()
    expect([code, hits]).toEqual([1, 2])
    expect(stderr).toMatch(/docs\/a\.md: the output file exists.*--force/)
    expect(await it.summary('a')).toBe('My own.')
    expect(await it.run('--force')).toMatchObject({ code: 0 })
    expect(await it.summary('a')).not.toBe('My own.')
  })
})

describe('a file of the user with the name of an error record', () => {
  it('is neither removed after a success nor overwritten after a failure', async () => {
    const own = 'summaries/docs/a.md.error.txt'
    const it = await setting({ ...documents, [own]: 'MY OWN FILE' })
    it.behave = (text) => (text.includes('Note a') ? { kind: 'status', status: 422 } : answer)
    expect(await it.run()).toMatchObject({ code: 1, hits: 3 })
    expect(await readFile(join(it.cwd, own), 'utf8')).toBe('MY OWN FILE')
    it.behave = () => answer
    expect(await it.run()).toMatchObject({ code: 0, hits: 1 })
    expect(await readFile(join(it.cwd, own), 'utf8')).toBe('MY OWN FILE')
  })
})

describe('a damaged ledger', () => {
  it('is reported, and only the document of the damaged line is summarized again', async () => {
    const { run, cwd } = await setting()
    await run()
    const lines = await ledgerLines(cwd)
    const broken = lines.map((line) => (line.includes('docs/b.md') ? line.slice(0, -40) : line))
    await writeFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), `${broken.join('\n')}\n`)
    const { code, hits, stderr } = await run('-q')
    expect([code, hits]).toEqual([0, 1])
    expect(stderr).toContain('1 line of the ledger cannot be read (docs/b.md) and is ignored')
    expect(await run('-q')).toMatchObject({ hits: 0, stderr: '' })
  })

  it('is reported with the documents that its damaged lines name', async () => {
    const { run, cwd } = await setting()
    await run()
    const nobodys = '{"type":"document","ended_at":"2026'
    const lost = ['docs/x.md', 'docs/y.md'].map((path) => JSON.stringify({ format_version: 2, path }))
    const broken = `${[nobodys, ...lost].join('\n')}\n`
    await appendFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), broken)
    expect((await run('-q')).stderr).toContain(
      '3 lines of the ledger cannot be read (2 about docs/x.md and 1 more) and are ignored',
    )
  })

  it('with an unreadable line is reported once, and kept next to the new one', async () => {
    const { run, cwd } = await setting()
    await run()
    const file = join(cwd, 'summaries/.claude-batch/ledger.jsonl')
    await appendFile(file, '{"type":"document","ended_at":"2026\n\0\0\0\n')
    const before = await readFile(file, 'utf8')
    const { code, hits, stderr } = await run('-q')
    expect([code, hits]).toEqual([0, 0])
    expect(stderr).toContain('2 lines of the ledger cannot be read and are ignored')
    expect(await readFile(`${file}.damaged`, 'utf8')).toBe(before)
    expect(await run('-q')).toMatchObject({ code: 0, hits: 0, stderr: '' })
  })

  it('of a newer version is not changed, and ends the run before any request', async () => {
    const { run, cwd } = await setting()
    await run()
    const file = join(cwd, 'summaries/.claude-batch/ledger.jsonl')
    await appendFile(file, '{"format_version":99,"at":"x"}\n')
    const before = await readFile(file, 'utf8')
    const { code, hits, stderr } = await run('--force')
    expect([code, hits]).toEqual([2, 0])
    expect(stderr).toContain('written by a newer claude-batch')
    expect(await readFile(file, 'utf8')).toBe(before)
  })

  it('that consists mostly of outdated lines is compacted, and keeps all totals', async () => {
    const { run, cwd } = await setting()
    await run()
    const lines = await ledgerLines(cwd)
    const one = lines.find((line) => line.includes('docs/b.md')) ?? ''
    const file = join(cwd, 'summaries/.claude-batch/ledger.jsonl')
    await writeFile(file, `${[...Array.from({ length: 1500 }, () => one), ...lines].join('\n')}\n`)
    expect(await run()).toMatchObject({ code: 0, hits: 0 })
    const after = await ledgerLines(cwd)
    expect(after.length).toBeLessThan(10)
    expect(
      after.map((line) => JSON.parse(line)).find(({ type }) => type === 'compacted')?.totals,
    ).toMatchObject({
      summarized: 1500,
    })
  })
})

describe('a summary in the journal of a killed run', () => {
  it('is put in place by the next run without a request', async () => {
    const { run, cwd, path, summary } = await setting()
    await run()
    const [whole, lines] = await Promise.all([summary('b'), ledgerLines(cwd)])
    // The state after a kill between the write of the journal and the rename of the summary.
    const line = JSON.parse(lines.find((text) => text.includes('docs/b.md')) ?? '')
    const { output, ...unwritten } = line
    const memory = join(cwd, 'summaries/.claude-batch')
    const entry = { entry: unwritten, path: output.path, text: whole }
    await writeFile(join(memory, 'journal.jsonl'), `${JSON.stringify(entry)}\n{"entry":{"pa`)
    await writeFile(
      join(memory, 'ledger.jsonl'),
      lines.filter((text) => !text.includes('docs/b.md')).join('\n'),
    )
    await writeFile(join(cwd, 'summaries/docs/.claude-batch-0123456789ab-3.tmp'), 'half')
    await rm(path('b'))
    const { code, hits, stderr } = await run()
    expect([code, hits]).toEqual([0, 0])
    expect(stderr).toContain('1 summary paid for by an interrupted run is now in place')
    expect(await summary('b')).toBe(whole)
    expect((await readdir(join(cwd, 'summaries/docs'))).sort()).toEqual(
      names.map((name) => `${name}.md.summary.md`),
    )
    expect(await run()).toMatchObject({ hits: 0 })
  })
})

describe('a summary in the journal whose path another file occupies', () => {
  it.each([
    ['a dangling link', (file: string) => symlink('nowhere', file)],
    ['a pipe', async (file: string) => void execFileSync('mkfifo', [file])],
  ])('does not overwrite %s', async (_, put) => {
    const { run, cwd, path } = await setting()
    await run()
    const lines = await ledgerLines(cwd)
    const { output, ...line } = JSON.parse(lines.find((text) => text.includes('docs/b.md')) ?? '')
    const memory = join(cwd, 'summaries/.claude-batch')
    const entry = { entry: line, path: output.path, text: 'Paid for.\n' }
    await writeFile(join(memory, 'journal.jsonl'), `${JSON.stringify(entry)}\n`)
    const others = lines.filter((text) => !text.includes('docs/b.md'))
    await writeFile(join(memory, 'ledger.jsonl'), `${others.join('\n')}\n`)
    await rm(path('b'))
    await put(path('b'))
    const before = await lstat(path('b'))
    expect((await run()).hits).toBe(0)
    expect((await lstat(path('b'))).ino).toBe(before.ino)
  })
})

describe('a damaged journal', () => {
  const memoryOf = (cwd: string) => join(cwd, 'summaries/.claude-batch')

  it('is reported even with -q, and kept in a file next to the new one', async () => {
    const { run, cwd } = await setting()
    await run()
    const journal = join(memoryOf(cwd), 'journal.jsonl')
    const broken =
      '{"entry":{"format_version":2,"path":"docs/b.md"},"path":"docs/b.md.summary.md","text":"Paid for'
    for (const [n, expected] of [`${broken}\n`, `${broken}\n${broken}\n`].entries()) {
      await writeFile(journal, `${broken}\n`)
      const { code, stderr } = await run('-q')
      expect([n, code, stderr]).toEqual([
        n,
        0,
        `claude-batch: 1 line of the journal cannot be read and may contain replies that you have paid for; see ${journal}.damaged\n`,
      ])
      expect(await readFile(`${journal}.damaged`, 'utf8')).toBe(expected)
    }
    expect(await run('-q')).toMatchObject({ code: 0, stderr: '' })
  })

  it('is not reported if only its last line is incomplete', async () => {
    const { run, cwd } = await setting()
    await run()
    await writeFile(
      join(memoryOf(cwd), 'journal.jsonl'),
      '{"entry":{"format_version":2,"path":"docs/b.md"},"pa',
    )
    expect(await run('-q')).toMatchObject({ code: 0, stderr: '' })
    expect((await readdir(memoryOf(cwd))).sort()).toEqual(['journal.jsonl', 'ledger.jsonl'])
  })

  it('of a newer version is not changed, and ends the run before any request', async () => {
    const { run, cwd } = await setting()
    await run()
    const journal = join(memoryOf(cwd), 'journal.jsonl')
    const newer =
      '{"entry":{"format_version":3,"path":"docs/b.md"},"path":"docs/b.md.summary.md","text":"New"}\n'
    await writeFile(journal, newer)
    const { code, hits, stderr } = await run('--force')
    expect([code, hits]).toEqual([2, 0])
    expect(stderr).toContain('journal.jsonl was written by a newer claude-batch (format 3)')
    expect(await readFile(journal, 'utf8')).toBe(newer)
  })
})

describe('a run ends early', () => {
  it('P24 with --max-failures, and leaves the rest for later', async () => {
    const it = await setting()
    it.behave = () => ({ kind: 'status', status: 422 })
    const { code, hits, stderr } = await it.run('--max-failures', '1', '--concurrency', '1')
    expect([code, hits]).toEqual([5, 1])
    expect(stderr).toContain('stopped at --max-failures 1; to continue, run the same command again')
  })

  it('P22 with --time-limit, after requests in flight are finished', async () => {
    const it = await setting()
    it.behave = () => ({ kind: 'answer', delayMs: 1400 })
    const { code, hits, stderr } = await it.run('--time-limit', '1s', '--concurrency', '1')
    expect([code, hits]).toEqual([5, 1])
    expect(stderr).toMatch(/1 summarized, 2 pending/)
    it.behave = () => answer
    expect(await it.run()).toMatchObject({ code: 0, hits: 2 })
  })

  it('if the first five documents fail with the same permanent error', async () => {
    const many = Array.from({ length: 30 }, (_, n) => [`docs/${n}.md`, `Note ${n} about the harbour.`])
    const it = await setting(Object.fromEntries(many))
    it.behave = () => ({ kind: 'status', status: 400, message: 'temperature: not supported' })
    const { code, hits, stderr } = await it.run('--concurrency', '2')
    expect(code).toBe(4)
    expect(hits).toBeLessThanOrEqual(7)
    expect(stderr).toContain('the first 5 documents all failed with the same error: 400')
    expect((await readdir(join(it.cwd, 'summaries/docs'))).length).toBe(hits)
  })
})
