import { appendFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { UnchangedEntry } from '../../../src/core/run/ledger-entry.ts'
import { createExportedFolder, createSummarizedEntry, parseLines } from '../../support/exported-folder.ts'
import {
  createDocumentEntry,
  createFailedEntry,
  runStart,
  timestampAt,
} from '../../support/ledger-entries.ts'
import { createFolder, startService } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'

const two = { 'docs/b.md': 'The mill is old.\n', 'docs/a.md': 'The ferry sails at nine.\n' }

describe('claude-batch export', () => {
  it('writes one JSON line per summary, in the order of their paths, as a run to stdout does', async () => {
    const { run } = await createExportedFolder(two)
    const { code, stdout, stderr } = await run()
    expect([code, stderr]).toEqual([0, ''])
    expect(parseLines(stdout)).toEqual([
      {
        format_version: 2,
        path: 'docs/a.md',
        status: 'summarized',
        summary: 'The ferry sails at nine.',
        model: 'claude-haiku-5-5',
        request_id: null,
        usage: {
          input_tokens: 1000,
          cache_creation_5m_input_tokens: 0,
          cache_creation_1h_input_tokens: 0,
          cache_read_input_tokens: 0,
          output_tokens: 100,
        },
        cost_usd: 0.00015,
        attempts: 1,
        elapsed_ms: 500,
        ended_at: '2026-11-22T12:00:01.000Z',
        prompt: 'summarize@v2',
      },
      expect.objectContaining({ path: 'docs/b.md', summary: 'The mill is old.' }),
    ])
  })

  it('exports the lines of a run to stdout, with a few more fields', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'A note.', 'docs/b.md': 'Note b.' })
    const { env } = await startService({
      script: ({ request }) =>
        request.text.includes('Note b') ? { kind: 'status', status: 422 } : { kind: 'answer', delayMs: 1 },
    })
    const run = (...args: string[]) => runInProcess(args, { cwd, env })
    await run('summarize', 'docs')
    const streamed = parseLines((await run('summarize', 'docs', '-o', '-', '--format', 'jsonl')).stdout)
    const exported = parseLines((await run('export', '--status', 'summarized,failed')).stdout)
    expect(exported).toHaveLength(2)
    for (const [n, line] of exported.entries()) {
      const { elapsed_ms: _, request_id: _id, error, ...others } = streamed[n] ?? {}
      expect(line).toMatchObject(others)
      expect(line['error']).toEqual(error && { ...error, request_id: expect.any(String) })
    }
  })

  it('writes the format that the file name or --format says', async () => {
    const { run, read } = await createExportedFolder(two)
    for (const name of ['x.jsonl', 'x.csv', 'x.md', 'x.HTML', 'new/folder/x.csv'])
      expect(await run('-o', name)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await read('x.jsonl')).toMatch(/^\{"format_version":2,"path":"docs\/a.md"/)
    expect(await read('x.csv')).toMatch(/^\ufeff"path","status"/)
    expect(await read('x.md')).toMatch(/^<!-- generator: claude-batch -->\n\n# 2 summaries\n/)
    expect(await read('x.HTML')).toMatch(/^<!doctype html>/)
    expect(await read('new/folder/x.csv')).toBe(await read('x.csv'))
    await run('-o', 'data', '--format', 'csv')
    expect(await read('data')).toBe(await read('x.csv'))
    // The helper of the test drops the byte-order mark of stdout.
    expect(`\ufeff${(await run('--format', 'csv', '-o', '-')).stdout}`).toBe(await read('x.csv'))
    const { code, stderr } = await run('-o', 'x.txt')
    expect([code, stderr]).toEqual([2, expect.stringContaining('expected a name that ends in .jsonl, .csv')])
  })

  it('replaces its own files, and no other file', async () => {
    const { run, read, cwd } = await createExportedFolder(two)
    for (const name of ['x.jsonl', 'x.csv', 'x.md', 'x.html']) {
      await run('-o', name)
      await writeFile(join(cwd, 'summaries/docs/a.md.summary.md'), `Not in ${name} before.\n`)
      expect(await run('-o', name)).toMatchObject({ code: 0 })
      expect(await read(name)).toContain(`Not in ${name} before.`)
      await writeFile(join(cwd, name), 'mine')
      const { code, stderr } = await run('-o', name)
      expect([code, stderr]).toEqual([2, expect.stringContaining('was not written by claude-batch')])
      expect(await read(name)).toBe('mine')
    }
    // As a spreadsheet program saves the table.
    await writeFile(
      join(cwd, 'edited.csv'),
      '\ufeffpath,status,model,ended_at,note\r\na.md,summarized,m,t,mine\r\n',
    )
    expect(await run('-o', 'edited.csv')).toMatchObject({ code: 2 })
  })

  it('refuses to write to a folder, a summary or the state folder', async () => {
    const { run, cwd } = await createExportedFolder(two)
    await mkdir(join(cwd, 'x.csv'))
    expect(await run('-o', 'x.csv')).toMatchObject({ code: 2, stderr: expect.stringContaining('a folder') })
    for (const [name, reason] of [
      ['summaries/docs/a.md.summary.md', 'not written by claude-batch'],
      ['summaries/docs/new.summary.md', 'the name of a summary'],
      ['summaries/.claude-batch/x.csv', 'the state folder'],
    ] as const)
      expect(await run('-o', name)).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) })
    expect((await readdir(join(cwd, 'summaries/docs'))).sort()).toEqual([
      'a.md.summary.md',
      'b.md.summary.md',
    ])
  })

  it('replaces the file behind a link that the user named', async () => {
    const { run, read, cwd } = await createExportedFolder(two)
    await symlink('today.csv', join(cwd, 'latest.csv'))
    expect(await run('-o', 'latest.csv')).toMatchObject({ code: 0 })
    expect(await read('today.csv')).toContain('The mill is old.')
  })

  it('leaves the earlier file and no other one if the disk is full', async () => {
    const { run, read, cwd } = await createExportedFolder(two)
    await run('-o', 'x.md')
    const before = await read('x.md')
    const { code, stderr } = await runInProcess(['export', '-o', 'x.md'], {
      cwd,
      faults: { do: 'ENOSPC', op: 'write', path: '\\.tmp$' },
    })
    expect([code, stderr]).toEqual([6, expect.stringContaining('no space left')])
    expect(await read('x.md')).toBe(before)
    expect((await readdir(cwd)).sort()).toEqual(['summaries', 'x.md'])
  })

  it('leaves the earlier file and no other one after Ctrl-C', async () => {
    const { run, read, cwd } = await createExportedFolder(two)
    for (const name of ['x.csv', 'x.html']) {
      await run('-o', name)
      const before = await read(name)
      const stopped = await runInProcess(['export', '-o', name], {
        cwd,
        onSignalSender: (deliver) => deliver('SIGINT'),
      })
      expect(stopped).toEqual({
        code: 130,
        stdout: '',
        stderr: 'claude-batch: stopped by SIGINT; nothing was written\n',
      })
      expect(await read(name)).toBe(before)
    }
    expect((await readdir(cwd)).sort()).toEqual(['summaries', 'x.csv', 'x.html'])
  })

  it('ends silently with 141 if its reader closes the pipe', async () => {
    const { cwd } = await createExportedFolder(two)
    for (const format of ['jsonl', 'csv', 'md', 'html'])
      expect(await runInProcess(['export', '--format', format], { cwd, stdoutError: 'EPIPE' })).toMatchObject(
        {
          code: 141,
          stderr: '',
        },
      )
  })

  it('reports a folder without a ledger, and one without a result', async () => {
    const { run, cwd } = await createExportedFolder({})
    expect(await run('nowhere')).toEqual({
      code: 3,
      stdout: '',
      stderr:
        'claude-batch: there is no ledger in nowhere: no run has written there; name the output folder: claude-batch export <dir>\n',
    })
    const { code, stderr } = await run('-o', 'x.csv')
    expect([code, stderr]).toEqual([
      3,
      'claude-batch: no document in summaries has the status summarized; see claude-batch report summaries\n',
    ])
    expect(await readdir(cwd)).toEqual(['summaries'])
  })

  it('exports another folder, from any working directory', async () => {
    const { cwd } = await createExportedFolder(two)
    const { stdout } = await runInProcess(['export', join(cwd, 'summaries')], { cwd: '/' })
    expect(parseLines(stdout).map(({ path }) => path)).toEqual([
      join(cwd, 'docs/a.md').slice(1),
      join(cwd, 'docs/b.md').slice(1),
    ])
  })

  it('does not wait for the lock of a run', async () => {
    const { cwd, run } = await createExportedFolder(two)
    await writeFile(join(cwd, 'summaries/.claude-batch/lock'), '{"pid":1,"host":"elsewhere"}')
    expect(await run()).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('the text of an exported summary', () => {
  it('is what is on disk, and an edit by hand is marked', async () => {
    const { cwd, readLines } = await createExportedFolder(two)
    await appendFile(join(cwd, 'summaries/docs/a.md.summary.md'), 'My own word.\n')
    const [edited, other] = await readLines()
    expect(edited).toMatchObject({ summary: 'The ferry sails at nine.\nMy own word.', edited: true })
    expect(other).not.toHaveProperty('edited')
  })

  it('is not marked as edited because git changed its line ends', async () => {
    const { cwd, readLines } = await createExportedFolder({ 'a.md': 'One.\nTwo.\n' })
    await writeFile(join(cwd, 'summaries/a.md.summary.md'), 'One.\r\nTwo.\r\n')
    expect((await readLines())[0]).not.toHaveProperty('edited')
  })

  it('has no front matter, also if it was added later', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'The ferry sails at nine.', 'docs/b.md': 'It rains.' })
    const { env } = await startService({
      script: () => ({ kind: 'answer', delayMs: 1, text: 'It is late.' }),
    })
    const run = (...args: string[]) => runInProcess(args, { cwd, env })
    await run('summarize', 'docs/a.md', '-q')
    await run('summarize', 'docs', '--front-matter', '-q')
    const lines = parseLines((await run('export')).stdout)
    expect(lines.map(({ summary }) => summary)).toEqual(['It is late.', 'It is late.'])
    expect(lines.filter(({ edited }) => edited)).toEqual([])
  })

  it('is parsed if a schema asked for JSON, with the numbers of the model', async () => {
    const { run, readLines, cwd } = await createExportedFolder({
      'a.md': '{ "id": 9007199254740993,\n  "score": 1.0 }\n',
      'b.md': '{"id": 1}\n',
    })
    const { stdout } = await run()
    expect(stdout).toContain('"summary":{"id":9007199254740993,"score":1.0}')
    await writeFile(join(cwd, 'summaries/b.md.summary.json'), '{"id": 1, and more}')
    expect((await readLines())[1]).toMatchObject({ summary: '{"id": 1, and more}', edited: true })
  })
})

describe('a summary that cannot be read', () => {
  it('is reported, and the others are exported with exit code 1', async () => {
    const { cwd, run, read } = await createExportedFolder({ ...two, 'docs/c.md': 'Third.' })
    await rm(join(cwd, 'summaries/docs/a.md.summary.md'))
    await rm(join(cwd, 'summaries/docs/c.md.summary.md'))
    await symlink('/etc/passwd', join(cwd, 'summaries/docs/c.md.summary.md'))
    const { code, stdout, stderr } = await run()
    expect([code, stderr]).toEqual([
      1,
      'claude-batch: docs/a.md, docs/c.md: the summary is missing or cannot be read; to make it again, run summarize\n',
    ])
    expect(parseLines(stdout).map(({ path }) => path)).toEqual(['docs/b.md'])
    expect(stdout).not.toContain('root:')
    await run('-o', 'x.csv')
    expect((await read('x.csv')).match(/\r\n/g)).toHaveLength(2)
    for (const name of ['x.md', 'x.html']) {
      expect(await run('-o', name)).toMatchObject({ code: 1 })
      expect((await read(name)).match(/missing or cannot be read/g)).toHaveLength(2)
    }
  })

  it('does not replace an earlier export if no summary is left', async () => {
    const { cwd, run, read } = await createExportedFolder(two)
    await run('-o', 'x.csv')
    const before = await read('x.csv')
    await rename(join(cwd, 'summaries/docs'), join(cwd, 'elsewhere'))
    expect(await run('-o', 'x.csv')).toEqual({
      code: 3,
      stdout: '',
      stderr:
        'claude-batch: all 2 summaries are missing or cannot be read; to make them again, run summarize\n',
    })
    expect(await read('x.csv')).toBe(before)
    expect((await readdir(cwd)).sort()).toEqual(['elsewhere', 'summaries', 'x.csv'])
  })
})

describe('the results that are exported', () => {
  const failedLater = createFailedEntry('docs/a.md', 'too long')
  const pending = createDocumentEntry('docs/p.md', { status: 'pending' })

  it('are summaries unless --status says otherwise, also of documents that failed later', async () => {
    const { readLines, read, run } = await createExportedFolder(two, [
      failedLater,
      createFailedEntry('docs/f.md', 'Bad \u009b31m request'),
      pending,
    ])
    const list = async (...args: string[]) =>
      (await readLines(...args)).map(({ path, status }) => `${path} ${status}`)
    expect(await list()).toEqual(['docs/a.md summarized', 'docs/b.md summarized'])
    expect(await list('--status', 'failed')).toEqual(['docs/a.md failed', 'docs/f.md failed'])
    expect(await list('--status', 'summarized,failed,pending')).toEqual([
      'docs/a.md summarized',
      'docs/a.md failed',
      'docs/b.md summarized',
      'docs/f.md failed',
      'docs/p.md pending',
    ])
    const [, failed] = await readLines('--status', 'failed')
    expect(failed).toMatchObject({
      error: { kind: 400, type: 'invalid_request_error', transient: false, request_id: null },
    })
    expect(failed).not.toHaveProperty('summary')
    for (const name of ['x.csv', 'x.md', 'x.html']) {
      await run('--status', 'failed,pending', '-o', name)
      const text = await read(name)
      expect(text).toMatch(/400 invalid_request_error: Bad \\x9b31m request/)
      expect(text).toContain('stopped after a request was sent')
      expect(text).not.toContain('The ferry')
    }
  })

  it('are the newest, without those that were pruned, and without digests', async () => {
    const unchanged: UnchangedEntry = {
      type: 'unchanged',
      format_version: 2,
      path: 'docs/a.md',
      at: timestampAt(1),
      size_bytes: 9,
      request_hash: 'k',
      settings_hash: 'r',
    }
    const { readLines } = await createExportedFolder(two, [
      failedLater,
      unchanged,
      createSummarizedEntry('docs/b.md', 'The mill is old.\n', { model: 'newer' }),
      createSummarizedEntry('docs/c.md', 'Pruned.'),
      { type: 'pruned', format_version: 2, path: 'docs/c.md', at: timestampAt(1) },
      createSummarizedEntry('overview.md', 'A digest.', { prompt: 'digest@v1' }),
    ])
    const lines = await readLines('--status', 'summarized,failed')
    expect(lines.map(({ path, status, model }) => [path, status, model])).toEqual([
      ['docs/a.md', 'summarized', 'claude-haiku-5-5'],
      ['docs/b.md', 'summarized', 'newer'],
    ])
  })

  it('are marked if the simulator made them', async () => {
    const { cwd, run, read } = await createExportedFolder({ 'a.md': 'A.', 'b.md': 'B.' })
    const start = { ...runStart, run_id: 'r2', simulated: true } as const
    const lines = [start, createSummarizedEntry('b.md', 'B.')].map((entry) => `${JSON.stringify(entry)}\n`)
    await appendFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), lines.join(''))
    const { stdout } = await run()
    expect(parseLines(stdout).map(({ simulated }) => simulated)).toEqual([undefined, true])
    await run('-o', 'x.md')
    expect((await read('x.md')).match(/\(simulated\)/g)).toHaveLength(1)
  })

  it('have no cost if a reply is missing from it', async () => {
    const entry = createSummarizedEntry('a.md', 'A.', { replies_with_unknown_cost: 1 })
    const { readLines, read, run } = await createExportedFolder({ 'a.md': 'A.' }, [entry])
    expect(await readLines()).toMatchObject([{ usage: null, cost_usd: null }])
    await run('-o', 'x.csv')
    expect((await read('x.csv')).split('\r\n')[1]).toContain('Z",,,,"summarize@v2"')
    await run('-o', 'x.html')
    expect(await read('x.html')).toContain('cost unknown')
  })

  it('are selected by --since, --flagged and --path', async () => {
    const { readLines, run, cwd } = await createExportedFolder(
      { 'docs/2025/x.md': 'X.', 'docs/2026/y.pdf': 'Y.' },
      [
        createSummarizedEntry('docs/2026/z.md', 'Z.', {
          ended_at: '2026-11-24T01:00:00.000Z',
          quality_issues: ['copy', 'length'],
        }),
        createSummarizedEntry('-', 'Stdin.', {
          output: { path: 'stdin.summary.md', size_bytes: 1, mtime_ms: 1, sha256: '' },
        }),
      ],
    )
    await writeFile(join(cwd, 'summaries/docs/2026/z.md.summary.md'), 'Z.')
    await writeFile(join(cwd, 'summaries/stdin.summary.md'), 'Stdin.')
    const list = async (...args: string[]) => (await readLines(...args)).map(({ path }) => path)
    expect(await list('--since', '2026-11-24')).toEqual(['docs/2026/z.md'])
    expect(await list('--since', '2026-11-22 12:00')).toHaveLength(4)
    expect(await list('--flagged')).toEqual(['docs/2026/z.md'])
    expect((await readLines('--flagged'))[0]).toMatchObject({ quality_issues: ['copy', 'length'] })
    expect(await list('--path', 'docs/2026')).toEqual(['docs/2026/y.pdf', 'docs/2026/z.md'])
    expect(await list('--path', './docs/2026/')).toEqual(['docs/2026/y.pdf', 'docs/2026/z.md'])
    expect(await list('--path', join(cwd, 'docs/2025'))).toEqual(['docs/2025/x.md'])
    expect(await list('--path', 'docs/**/*.md')).toEqual(['docs/2025/x.md', 'docs/2026/z.md'])
    expect(await list('--path', 'docs/*5', '--path', 'docs/2026/y.pdf')).toEqual([
      'docs/2025/x.md',
      'docs/2026/y.pdf',
    ])
    expect(await list('--path', 'docs/20')).toEqual([])
    expect(await list('--path', '.')).toEqual(['docs/2025/x.md', 'docs/2026/y.pdf', 'docs/2026/z.md'])
    expect(await list('--path', '-')).toEqual(['-'])
    expect(await run('--path', 'docs/20', '--flagged')).toEqual({
      code: 3,
      stdout: '',
      stderr: 'claude-batch: none of the 4 results in summaries matches --path and --flagged\n',
    })
    expect(await run('--since', 'yesterday')).toMatchObject({ code: 2 })
    expect(await run('--status', 'skipped')).toMatchObject({ code: 2 })
    expect(await run('--path', '*a*a*a*a*a*a*a*b')).toMatchObject({ code: 2 })
  })
})

describe('an export in a folder that is summarized', () => {
  it('is skipped, like a report', async () => {
    const { cwd, run } = await createExportedFolder(two)
    await mkdir(join(cwd, 'docs'))
    await writeFile(join(cwd, 'docs/a.md'), 'A note.')
    for (const name of ['x.csv', 'x.md', 'x.html']) await run('-o', `docs/${name}`)
    const { env } = await startService({})
    const { stderr } = await runInProcess(['summarize', 'docs', '-o', 'other'], { cwd, env })
    expect(stderr).toContain('3 skipped (3 output files of earlier runs: docs/x.csv, docs/x.html, docs/x.md)')
  })
})
