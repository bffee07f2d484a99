import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toExtensionRecord } from '../../src/core/document/extension-counts.ts'
import { formatNotRead } from '../../src/ui/format-not-read.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const files = {
  'docs/a.md': 'The harbour board met about the channel.',
  'docs/old.xls': 'x',
  'docs/deep/OLDER.XLS': 'x',
  'docs/photo.jpg': 'x',
  'docs/LICENSE': 'x',
  'docs/v1.2 notes': 'x',
  'docs/.hidden.jpg': 'x',
  'docs/ignored.jpg': 'x',
  'docs/build/x.bin': 'x',
  'docs/drafts/y.bin': 'x',
  'docs/z.bin': 'x',
  'docs/node_modules/n.bin': 'x',
  'docs/a.md.summary.md': 'an earlier output',
  'docs/.gitignore': 'ignored.jpg\nbuild/\n',
}
const exclude = ['--exclude', 'drafts', '--exclude', 'z.bin']
const line = 'claude-batch: not read: 2 .xls, 2 without extension, 1 .jpg; see docs/documents.md\n'
const counts = { xls: 2, '(none)': 2, jpg: 1 }

async function run(...args: string[]) {
  const cwd = await createFolder(files)
  const result = await runInProcess([...args, '--simulate'], { cwd, env: {} })
  const readJson = async (name: string) => JSON.parse(await readFile(join(cwd, name), 'utf8'))
  return { ...result, readJson }
}

describe('files in a folder that are not read', () => {
  it('are counted by extension after the summary of the run, without ignored, hidden and excluded files', async () => {
    const { code, stderr } = await run('summarize', 'docs', ...exclude)
    expect(code).toBe(0)
    expect(stderr).toMatch(/\noutput +\S+\n/)
    expect(stderr.slice(stderr.indexOf('\noutput'))).toContain(line)
  })

  it('are counted in the report and the ledger', async () => {
    const { readJson } = await run('summarize', 'docs', ...exclude, '--report', 'report.json')
    expect((await readJson('report.json')).runs[0].not_read_by_extension).toEqual(counts)
  })

  it('are counted by a dry run, and in its estimate', async () => {
    const { stdout, stderr, readJson } = await run(
      'summarize',
      'docs',
      ...exclude,
      '--dry-run',
      '--report',
      'docs/estimate.json',
    )
    expect(stderr).toBe(line)
    expect(stdout).not.toContain('not read')
    expect((await readJson('docs/estimate.json')).not_read_by_extension).toEqual(counts)
  })

  it('are not mentioned with --quiet, nor when every file is read', async () => {
    expect((await run('summarize', 'docs', ...exclude, '--quiet')).stderr).not.toContain('not read')
    expect((await run('summarize', 'docs/a.md')).stderr).not.toContain('not read')
    expect((await run('summarize', 'docs/*.md')).stderr).not.toContain('not read')
  })

  it('are counted once if several inputs contain them, and not if an input names them', async () => {
    const { stderr } = await run('summarize', 'docs', './docs/deep', 'docs/../docs', ...exclude)
    expect(stderr).toContain(line)
    const named = await run('summarize', 'docs', 'docs/photo.jpg', 'docs/*.xls', ...exclude)
    expect(named.stderr).toContain('claude-batch: not read: 2 without extension, 1 .xls; see')
  })

  it('are counted if no file at all is read', async () => {
    const { stderr } = await run('summarize', 'docs/deep')
    expect(stderr).toContain('claude-batch: not read: 1 .xls; see docs/documents.md\n')
  })

  it('are the files with other extensions than those of --ext', async () => {
    const { stderr } = await run('summarize', 'docs', '--ext', 'xls', ...exclude)
    expect(stderr).toContain('not read: 2 without extension, 1 .jpg, 1 .md; see')
  })
})

describe('many extensions', () => {
  const many = new Map(Array.from({ length: 150 }, (_, n) => [`x${n}`, 200 - n]))

  it('are listed up to eight in the line', () => {
    expect(formatNotRead(many)).toMatch(/^not read: 200 \.x0, .*, 193 \.x7 and 142 other kinds; see /)
    expect(formatNotRead(new Map([...many].slice(0, 9)))).toMatch(/ 193 \.x7 and 1 other kind; see /)
  })

  it('are listed up to a hundred in JSON', () => {
    const record = toExtensionRecord(many)
    expect(Object.keys(record)).toHaveLength(101)
    expect(Object.values(record).reduce((sum, count) => sum + count, 0)).toBe(
      [...many.values()].reduce((sum, count) => sum + count, 0),
    )
  })
})

describe('--ext', () => {
  const listed = async (ext: string) => {
    const cwd = await createFolder({ 'd/a.md': 'Ale.', 'd/b.json': '{"b": 1}', 'd/c.csv': 'a,b\n1,2\n' })
    const { code, stdout, stderr } = await runInProcess(
      ['summarize', 'd', '--simulate', '-o', '-', '--format', 'jsonl', '--ext', ext],
      { cwd, env: {} },
    )
    const paths = stdout.split('\n').filter(Boolean)
    return { code, stderr, paths: paths.map((line) => JSON.parse(line).path.slice(2)) }
  }

  it.each([
    ['json', ['b.json']],
    ['+json', ['a.md', 'b.json', 'c.csv']],
    ['-csv', ['a.md']],
    ['+json,-csv', ['a.md', 'b.json']],
    [' -CSV , +.json ', ['a.md', 'b.json']],
    ['+*.json,-md', ['b.json', 'c.csv']],
  ])('%s reads %j', async (ext, paths) => {
    expect(await listed(ext)).toMatchObject({ code: 0, paths })
  })

  it.each([
    ['md,+json', 'mixes a list with changes of the default list'],
    ['+', 'expected extensions like md,txt or +json,-csv'],
    ['+json,', 'expected extensions like md,txt or +json,-csv'],
    ['+a/b', 'expected extensions like md,txt or +json,-csv'],
  ])('%s is refused', async (ext, message) => {
    expect(await listed(ext)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
  })

  it('changes the default list from a configuration file, too', async () => {
    const cwd = await createFolder({
      'd/a.md': 'Ale.',
      'd/b.json': '{"b": 1}',
      'claude-batch.yaml': 'ext: [+json, -md]\n',
    })
    const { stderr } = await runInProcess(['summarize', 'd', '--simulate'], { cwd, env: {} })
    expect(stderr).toContain('1 summarized')
    expect(stderr).toContain('not read: 1 .md')
  })
})
