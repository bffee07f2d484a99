import { execFileSync } from 'node:child_process'
import { chmod, link, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DocumentEntry, LedgerEntry } from '../../../src/core/run/ledger-entry.ts'
import {
  createEntry,
  createRun,
  readDocuments,
  readFolder,
  readTotals,
  runMerge,
  sumEntries,
  writeOutputFolder,
} from '../../support/merged-folders.ts'
import { createFolder } from '../../support/run-cli.ts'

const [start, end] = createRun('r1', 0)

/** Creates a folder `part` with these lines between the start and the end of a run, and a file outside it. */
async function createPart(
  lines: readonly (LedgerEntry | string)[],
  files: Readonly<Record<string, string>> = {},
) {
  const cwd = await createFolder({ 'outside/secret.md.summary.md': 'Secret.\n' })
  await writeOutputFolder(join(cwd, 'part'), [start, ...lines, end], files)
  const merge = (...args: string[]) => runMerge(cwd, 'part', '-o', 'all', ...args)
  const listFiles = async () =>
    Object.keys(await readFolder(join(cwd, 'all'))).filter((name) => !name.startsWith('.claude-batch/'))
  return { cwd, merge, listFiles }
}

/** An entry that names another file as its summary. */
function createMisnamed(path: string, file: string): DocumentEntry {
  const entry = createEntry(path, 'Secret.\n', 1)
  return { ...entry, ...(entry.output && { output: { ...entry.output, path: file } }) }
}

describe('merging a folder that someone else wrote', () => {
  it.each(['docs', 'docs/a.md.summary.md'])('does not follow a link at %s of the source', async (name) => {
    const { cwd, merge, listFiles } = await createPart([createEntry('docs/a.md', 'Secret.\n', 1)])
    await symlink(
      name === 'docs' ? '../outside' : '../../outside/secret.md.summary.md',
      await makeParent(join(cwd, 'part', name)),
    )
    await writeFile(join(cwd, 'outside/a.md.summary.md'), 'Secret.\n')
    const { code, stderr } = await merge()
    expect([code, stderr]).toEqual([1, expect.stringContaining('it is a symbolic link')])
    expect(await listFiles()).toEqual([])
    // The cost is still counted.
    expect((await readTotals(join(cwd, 'all'))).summarized).toBe(1)
  })

  it.each(['docs', '.claude-batch'])('does not write through a link at %s of the target', async (name) => {
    const { cwd, merge } = await createPart([createEntry('docs/a.md', 'One.\n', 1)], {
      'docs/a.md.summary.md': 'One.\n',
    })
    await symlink('../outside', await makeParent(join(cwd, 'all', name)))
    const { code, stderr } = await merge()
    expect([code, stderr]).toEqual([6, expect.stringMatching(/symbolic link|cannot use/)])
    expect(Object.keys(await readFolder(join(cwd, 'outside')))).toEqual(['secret.md.summary.md'])
  })

  it('replaces no link in the place of a summary', async () => {
    const { cwd, merge, listFiles } = await createPart([createEntry('a.md', 'One.\n', 1)], {
      'a.md.summary.md': 'One.\n',
    })
    await symlink('../outside/secret.md.summary.md', await makeParent(join(cwd, 'all/a.md.summary.md')))
    expect((await merge()).code).toBe(0)
    expect(await listFiles()).toEqual(['a.md.summary.conflict-1.md'])
    expect(await readFile(join(cwd, 'outside/secret.md.summary.md'), 'utf8')).toBe('Secret.\n')
  })

  it.each([
    '../outside/secret.md.summary.md',
    '/etc/a.md.summary.md',
    '.claude-batch/a.md.summary.md',
    'b.md.summary.md',
    'docs/../../outside/secret.md.summary.md',
  ])('copies nothing from %s, which the document cannot have', async (file) => {
    const { cwd, merge, listFiles } = await createPart([createMisnamed('docs/a.md', file)], {
      'b.md.summary.md': 'Secret.\n',
      '.claude-batch/a.md.summary.md': 'Secret.\n',
    })
    await writeOutputFolder(join(cwd, 'all'), [], { 'b.md.summary.md': 'Mine.\n' })
    await merge()
    expect(await listFiles()).toEqual(['b.md.summary.md'])
    expect(await readFile(join(cwd, 'all/b.md.summary.md'), 'utf8')).toBe('Mine.\n')
    expect(Object.keys(await readFolder(join(cwd, 'outside')))).toEqual(['secret.md.summary.md'])
  })

  it.skipIf(process.platform === 'win32')('copies no pipe, and does not wait for it', async () => {
    const { cwd, merge, listFiles } = await createPart([createEntry('a.md', 'One.\n', 1)])
    execFileSync('mkfifo', [join(cwd, 'part/a.md.summary.md')])
    expect(await merge()).toMatchObject({ code: 1, stderr: expect.stringContaining('not a regular file') })
    expect(await listFiles()).toEqual([])
  })

  it('copies instead of linking, so that an edit changes one folder only', async () => {
    const { cwd, merge } = await createPart([createEntry('a.md', 'One.\n', 1)], {
      'a.md.summary.md': 'One.\n',
    })
    await link(join(cwd, 'part/a.md.summary.md'), join(cwd, 'backup'))
    await merge()
    expect((await stat(join(cwd, 'all/a.md.summary.md'))).nlink).toBe(1)
  })

  it('keeps an error record and a summary apart from what the user has in their places', async () => {
    const error = { kind: 400, type: 'x', message: 'x', transient: false } as const
    const failed: DocumentEntry = {
      ...createEntry('a.md', 'ERROR: no\n', 1),
      status: 'failed',
      error,
      output: { path: 'a.md.error.txt', size_bytes: 1, mtime_ms: 1, sha256: 'x' },
    }
    const { cwd, merge } = await createPart([failed], { 'a.md.error.txt': 'ERROR: no\n' })
    await writeOutputFolder(join(cwd, 'all'), [], { 'a.md.error.txt': 'Notes of mine.\n' })
    expect((await merge()).code).toBe(0)
    expect(await readFile(join(cwd, 'all/a.md.error.txt'), 'utf8')).toBe('Notes of mine.\n')
  })

  it('reads a shard of any number in no time, and refuses a damaged record', async () => {
    const record = '{"format_version":1,"index":1,"count":9007199254740991}'
    const { cwd, merge } = await createPart([createEntry('a.md', 'One.\n', 1)], {
      'a.md.summary.md': 'One.\n',
      '.claude-batch/shard.json': record,
    })
    expect((await merge()).stderr).toContain('and 9007199254740970 more of 9007199254740991 are missing')
    await writeFile(join(cwd, 'part/.claude-batch/shard.json'), '{"index":2}')
    expect((await merge()).code).toBe(2)
  })

  it('escapes control characters of names', async () => {
    const { cwd, merge } = await createPart([createEntry('a\u001b[31m.md', 'One.\n', 1)], {
      'a\u001b[31m.md.summary.md': 'One.\n',
    })
    await writeOutputFolder(join(cwd, 'all'), [], { 'a\u001b[31m.md.summary.md': 'Mine.\n' })
    const { stderr } = await merge()
    expect(stderr).toContain('conflict-1')
    expect(stderr).not.toContain('\u001b')
  })

  it('takes a ledger of lines that no run would write, and counts what it can read', async () => {
    const entry = createEntry('a.md', 'One.\n', 1)
    const lines = ['', '{', 'null', '[]', '{"type":"run_start"}', JSON.stringify(entry), '\u0000', '"x"']
    const cwd = await createFolder({})
    // Without a start, and with the same run several times.
    await writeOutputFolder(join(cwd, 'part'), [...lines, end, start, entry, start, entry, end, start], {
      'a.md.summary.md': 'One.\n',
    })
    const { code } = await runMerge(cwd, 'part', '-o', 'all')
    expect(code).toBe(1)
    const before = await readFolder(join(cwd, 'all'))
    expect((await runMerge(cwd, 'part', '-o', 'all')).code).toBe(1)
    expect(await readFolder(join(cwd, 'all'))).toEqual(before)
    // Once before the first start, twice in the run: the second time as a sum.
    expect(await readTotals(join(cwd, 'all'))).toEqual(sumEntries([entry, entry, entry]))
    expect((await readDocuments(join(cwd, 'all'))).summaries).toHaveLength(1)
  })

  it('works with names of 255 bytes, and with documents that differ in case or in a hash', async () => {
    const names = ['A.md', 'a.md', 'a.md.~0123456789ab', `${'n'.repeat(220)}.md`]
    const made = names.map((name, n) => createEntry(name, `Text ${n}.\n`, n + 1))
    const { cwd, merge, listFiles } = await createPart(
      made,
      Object.fromEntries(names.map((name, n) => [`${name}.summary.md`, `Text ${n}.\n`])),
    )
    expect((await merge()).code).toBe(0)
    expect((await listFiles()).sort()).toEqual(names.map((name) => `${name}.summary.md`).sort())
    expect((await readDocuments(join(cwd, 'all'))).summaries).toHaveLength(4)
  })

  it.skipIf(process.getuid?.() === 0)('reads a folder that it cannot write', async () => {
    const { cwd, merge, listFiles } = await createPart([createEntry('a.md', 'One.\n', 1)], {
      'a.md.summary.md': 'One.\n',
    })
    await chmod(join(cwd, 'part/.claude-batch'), 0o500)
    expect((await merge()).code).toBe(0)
    expect(await listFiles()).toEqual(['a.md.summary.md'])
    await chmod(join(cwd, 'part/.claude-batch'), 0o700)
  })
})

/** Creates the folder that a path is in, and returns the path. */
async function makeParent(path: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true })
  await rm(path, { recursive: true, force: true })
  return path
}
