import { readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCountedFolder } from '../support/counted-folder.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const note = (n: number) => `Note ${n}: the harbour board met.`
const files = {
  'home/docs/1.md': note(1),
  'home/docs/2.md': note(2),
  'home/docs/deep/3.md': note(3),
  'home/docs/deep/4.md': note(4),
  'work/claude-batch.yaml': '',
}

/** Runs in `work`, so that the documents are outside the working directory. */
async function start() {
  const folder = await createFolder(files)
  const cwd = join(folder, 'work')
  const run = (...args: string[]) => runInProcess([...args, '--simulate'], { cwd, clockSpeed: 100 })
  const list = async (out = 'summaries') =>
    (await readdir(join(cwd, out), { recursive: true })).filter((name) => /\.(md|txt)$/.test(name)).sort()
  return { folder, cwd, run, list }
}

describe('--limit', () => {
  it('processes the first documents, the same ones in every run, and counts the others', async () => {
    const { run, list } = await start()
    const limited = ['summarize', '../home/docs', '--root', '../home', '--limit', '3']
    const first = await run(...limited, '--report', 'report.json')
    expect(first).toMatchObject({ code: 0, stdout: '' })
    expect(first.stderr).toContain('documents  4: 3 summarized, 1 skipped (1 left out by --limit)\n')
    const names = ['docs/1.md.summary.md', 'docs/2.md.summary.md', 'docs/deep/3.md.summary.md']
    expect(await list()).toEqual(names)
    expect((await run(...limited)).stderr).toContain('3 unchanged')
    expect(await list()).toEqual(names)
    const all = await run('summarize', '../home/docs', '--root', '../home')
    expect(all.stderr).toContain('1 summarized, 3 skipped (3 unchanged)')
  })

  it('is counted in the report, also of a dry run', async () => {
    const { cwd, run } = await start()
    const limited = ['summarize', '../home/docs', '--limit', '1']
    await run(...limited, '--report', 'report.json')
    const report = JSON.parse(await readFile(join(cwd, 'report.json'), 'utf8'))
    expect(report.runs[0].skipped_by_reason).toEqual({ beyond_limit: 3 })
    expect((await run(...limited, '--dry-run')).stdout).toContain('left out by --limit')
  })

  it('takes the first documents of the order in which -o - prints them', async () => {
    const { run } = await start()
    const paths = async (...args: string[]) =>
      (await run('summarize', '../home/docs', '-o', '-', '--format', 'jsonl', ...args)).stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).path)
    expect(await paths('--limit', '2')).toEqual((await paths()).slice(0, 2))
    expect(await paths('--limit', '0')).toHaveLength(4)
    expect(await paths('--limit', '9')).toHaveLength(4)
  })

  it('takes the first documents of a shard', async () => {
    const { run } = await start()
    const { stderr } = await run('summarize', '../home/docs', '--shard', '1/1', '--limit', '1')
    expect(stderr).toContain('1 summarized, 3 skipped (3 left out by --limit)')
  })

  it('does not count links to documents that are counted anyway', async () => {
    const folder = await createFolder({ 'docs/a.md': note(1), 'docs/c.md': note(2) })
    await symlink('a.md', join(folder, 'docs/b.md'))
    const { stderr } = await runInProcess(['summarize', 'docs', '--follow', '--limit', '2', '--simulate'], {
      cwd: folder,
    })
    expect(stderr).toContain('2 summarized, 1 skipped (1 duplicate')
  })

  it.each(['-1', 'x', '1.5', ''])('rejects %j', async (value) => {
    const { run, cwd } = await start()
    expect(await run('summarize', '../home/docs', `--limit=${value}`)).toMatchObject({ code: 2 })
    expect(await readdir(cwd)).toEqual(['claude-batch.yaml'])
  })
})

describe('--root', () => {
  it('gives summaries and error records the paths that documents have in that folder', async () => {
    const { folder, run, list } = await start()
    await writeFile(join(folder, 'home/docs/broken.pdf'), 'this is not a PDF')
    expect((await run('summarize', '../home/docs', '--root', '../home/docs')).code).toBe(1)
    expect(await list()).toEqual([
      '1.md.summary.md',
      '2.md.summary.md',
      'broken.pdf.error.txt',
      'deep/3.md.summary.md',
      'deep/4.md.summary.md',
    ])
  })

  it('pays for nothing again with another root, and existing summaries keep their names', async () => {
    const { run, list, cwd } = await start()
    await run('summarize', '../home/docs/deep', '--root', '../home')
    const { stderr } = await run('summarize', '../home/docs', '--root', '../home/docs')
    expect(stderr).toContain('2 summarized, 2 skipped (2 unchanged)')
    expect(await list()).toEqual([
      '1.md.summary.md',
      '2.md.summary.md',
      'docs/deep/3.md.summary.md',
      'docs/deep/4.md.summary.md',
    ])
    // A later change is written to the same file, also without the flag.
    await writeFile(join(cwd, '../home/docs/1.md'), 'Note 1 changed.')
    expect((await run('summarize', '../home/docs')).stderr).toContain('1 summarized, 3 skipped')
    expect(await list()).toHaveLength(4)
    expect(await readFile(join(cwd, 'summaries/1.md.summary.md'), 'utf8')).toContain('changed')
  })

  it('writes the digests of folders next to the summaries', async () => {
    const { run, list } = await start()
    const digest = ['--digest', 'all.md', '--digest-per', 'folder']
    expect((await run('summarize', '../home/docs', '--root', '../home', ...digest)).code).toBe(0)
    expect((await list()).filter((name) => name.endsWith('all.md'))).toEqual([
      'docs/all.md',
      'docs/deep/all.md',
    ])
  })

  it('does not overwrite a file of the user at the place of a digest', async () => {
    const { cwd, run } = await start()
    await run('summarize', '../home/docs/deep', '--root', '../home')
    await writeFile(join(cwd, 'summaries/docs/all.md'), 'my own notes')
    const digest = ['--digest', 'all.md', '--digest-per', 'folder']
    expect((await run('summarize', '../home/docs', '--root', '../home', ...digest)).code).toBe(2)
    expect(await readFile(join(cwd, 'summaries/docs/all.md'), 'utf8')).toBe('my own notes')
  })

  it('gives no two documents the same file', async () => {
    const { run, list } = await start()
    await run('summarize', '../home/docs/deep', '--root', '../home/docs')
    await run('summarize', '../home/docs/deep/3.md', '--root', '../home/docs/deep', '--redo', 'all')
    const other = await createFolder({ 'deep/3.md': 'Another note.' })
    const { code } = await run('summarize', join(other, 'deep'), '--root', other)
    expect(code).toBe(0)
    expect(await list()).toEqual([
      'deep/3.md.summary.md',
      expect.stringMatching(/^deep\/3\.md\.~[0-9a-f]{12}\.summary\.md$/),
      'deep/4.md.summary.md',
    ])
  })

  it('is resolved in the folder of the configuration file that sets it', async () => {
    const { cwd, run, list } = await start()
    await writeFile(join(cwd, 'claude-batch.yaml'), 'root: ../home\n')
    expect((await run('summarize', '../home/docs/deep')).code).toBe(0)
    expect(await list()).toEqual(['docs/deep/3.md.summary.md', 'docs/deep/4.md.summary.md'])
  })

  it('works through links to folders, such as a working directory that is one', async () => {
    const { folder, run, list } = await start()
    await symlink(join(folder, 'home'), join(folder, 'link'))
    expect((await run('summarize', '../home/docs/deep', '--root', '../link')).code).toBe(0)
    expect((await run('summarize', '../link/docs/1.md', '--root', join(folder, 'home'))).code).toBe(0)
    expect(await list()).toEqual([
      'docs/1.md.summary.md',
      'docs/deep/3.md.summary.md',
      'docs/deep/4.md.summary.md',
    ])
  })

  it('must be a folder, and not the document', async () => {
    const { run } = await start()
    const { code, stderr } = await run('summarize', '../home/docs/1.md', '--root', '../home/docs/1.md')
    expect(code).toBe(2)
    expect(stderr).toMatch(/--root .*1\.md: .* is not in this folder/)
  })

  it('rejects documents outside of it before any request or file', async () => {
    const { cwd, run } = await start()
    const { code, stderr } = await run('summarize', '../home/docs', '--root', '../home/docs/deep')
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^claude-batch: --root \.\.\/home\/docs\/deep: ".*\/home\/docs\/1\.md" and 1 other are not in this folder; name one that contains all documents/,
    )
    expect(await readdir(cwd)).toEqual(['claude-batch.yaml'])
  })

  it('has no effect on stdin and stdout', async () => {
    const { cwd, run } = await start()
    const piped = await runInProcess(['summarize', '-', '-o', 'out', '--root', 'nowhere', '--simulate'], {
      cwd,
      input: note(1),
    })
    expect(piped.code).toBe(0)
    expect(await readdir(join(cwd, 'out'))).toContain('stdin.summary.md')
    expect((await run('summarize', '../home/docs', '-o', '-', '--root', 'nowhere')).code).toBe(0)
  })

  it.each([
    ['batches', 'collect'],
    ['summarize', 'extra.md'],
  ])('holds for the documents of a batch that %s %s collects', async (...args) => {
    const documents = { 'docs/a/1.md': note(1), 'docs/a/2.md': note(2), 'extra.md': note(3) }
    const { run, list } = await createCountedFolder(documents)
    const sent = await run(['summarize', 'docs', '--root', 'docs', '--batch', '--detach'])
    expect(sent).toMatchObject({ code: 0 })
    expect(await run(args)).toMatchObject({ code: 0 })
    expect(Object.keys(await list('summaries'))).toEqual(
      expect.arrayContaining(['summaries/a/1.md.summary.md', 'summaries/a/2.md.summary.md']),
    )
  })

  it('does not let an edited batch file choose another place', async () => {
    const documents = { 'docs/a/1.md': note(1), 'docs/a/2.md': note(2) }
    const { cwd, run, list } = await createCountedFolder(documents)
    await run(['summarize', 'docs', '--root', 'docs', '--batch', '--detach'])
    const folder = join(cwd, 'summaries/.claude-batch/batches')
    const [name = ''] = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'))
    const text = await readFile(join(folder, name), 'utf8')
    const edited = text.replaceAll('"mirrored_path":"a/2.md"', '"mirrored_path":"../../etc/x"')
    expect(edited).not.toBe(text)
    await writeFile(join(folder, name), edited)
    expect(await run(['batches', 'collect'])).toMatchObject({ code: 0 })
    expect(Object.keys(await list('summaries')).sort()).toEqual([
      'summaries/a/1.md.summary.md',
      'summaries/docs/a/2.md.summary.md',
    ])
  })
})
