import { execFileSync } from 'node:child_process'
import { link, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultExtensions } from '../../../src/config/default-extensions.ts'
import { toSlashes } from '../../../src/core/document/document-path.ts'
import { type FindOptions, findDocuments } from '../../../src/inputs/find/find-documents.ts'
import { createFolder } from '../../support/run-cli.ts'
import { has } from '../../support/system.ts'

const tree = {
  'docs/b.md': 'b',
  'docs/a.md': 'a',
  'docs/deep/c.txt': 'c',
  'docs/image.png': 'png',
  'docs/.hidden/h.md': 'h',
  'docs/node_modules/n.md': 'n',
  'docs/drafts/d.md': 'd',
  'docs/.gitignore': 'drafts/\n*.log\n',
  'docs/x.log': 'log',
  'docs/a.md.summary.md': 'earlier',
  'docs/b.md.error.txt': 'ERROR: earlier',
  'docs/build.error.txt': 'a document of its own',
  'notes[1].md': 'brackets',
}

type Files = Readonly<Record<string, string | Buffer>>

async function found(inputs: readonly string[], files: Files = tree, more: Partial<FindOptions> = {}) {
  const cwd = more.cwd ?? (await createFolder(files))
  const options = {
    env: {},
    extensions: defaultExtensions,
    exclude: [],
    hidden: false,
    follow: false,
    ignoreFiles: true,
    ...more,
    cwd,
  }
  const result = await findDocuments(
    inputs.map((text) => ({ text, literal: false })),
    options,
  )
  return { ...result, paths: result.sources.map(({ path }) => path) }
}

describe('findDocuments', () => {
  it('finds the documents of a directory: sorted, without hidden, ignored and generated files', async () => {
    const { sources } = await found(['docs'])
    expect(sources.map(({ path, index }) => [index, path])).toEqual([
      [0, 'docs/a.md'],
      [1, 'docs/b.md'],
      [2, 'docs/build.error.txt'],
      [3, 'docs/deep/c.txt'],
    ])
  })

  it('finds a named file with any extension, and only once if it is named several times', async () => {
    const { sources } = await found(['docs/image.png', './docs/a.md', 'docs/a.md', 'docs'])
    expect(sources.map(({ path, namedByUser }) => [path, namedByUser])).toEqual([
      ['docs/a.md', true],
      ['docs/b.md', false],
      ['docs/build.error.txt', false],
      ['docs/deep/c.txt', false],
      ['docs/image.png', true],
    ])
  })

  it('treats an existing path that looks like a pattern as a path', async () => {
    expect((await found(['notes[1].md'])).paths).toEqual(['notes[1].md'])
  })

  it('expands patterns for files with any extension', async () => {
    expect((await found(['docs/*.png', '**/c.*'])).paths).toEqual(['docs/deep/c.txt', 'docs/image.png'])
    expect((await found(['docs/{deep,drafts}/*'])).paths).toEqual(['docs/deep/c.txt', 'docs/drafts/d.md'])
    expect((await found(['docs/**/*.md'])).paths).toEqual(['docs/a.md', 'docs/b.md'])
  })

  it('reports patterns that match nothing, and named files that do not exist', async () => {
    const {
      unmatchedPatterns: unmatched,
      missingInputs: missing,
      foundAnything: anything,
      paths,
    } = await found(['*.nope', 'gone.md', 'docs/a.md'])
    expect({ unmatched, missing, anything, paths }).toEqual({
      unmatched: ['*.nope'],
      missing: ['gone.md'],
      anything: true,
      paths: ['docs/a.md'],
    })
    expect((await found(['*.nope', 'gone.md'])).foundAnything).toBe(false)
  })

  it('counts an empty directory as found', async () => {
    const cwd = await createFolder({})
    await mkdir(join(cwd, 'empty'))
    expect(await found(['empty'], {}, { cwd })).toMatchObject({ sources: [], foundAnything: true })
  })

  it('finds hidden and ignored files only with the options for them', async () => {
    expect((await found(['docs'], tree, { hidden: true })).paths).toContain('docs/.hidden/h.md')
    const { paths } = await found(['docs'], tree, { ignoreFiles: false })
    for (const path of ['docs/drafts/d.md', 'docs/node_modules/n.md', 'docs/x.log'])
      expect(paths).toContain(path)
  })

  it('searches an ignored or hidden directory if it is named', async () => {
    expect((await found(['docs/node_modules', 'docs/drafts', 'docs/.hidden'])).paths).toEqual([
      'docs/.hidden/h.md',
      'docs/drafts/d.md',
      'docs/node_modules/n.md',
    ])
  })

  it('obeys ignore files in parent folders; nearer ones and .claude-batchignore override them', async () => {
    const files = {
      '.gitignore': 'secret.md\nkept.md\n',
      'docs/secret.md': '',
      'docs/kept.md': '',
      'docs/.gitignore': '!kept.md\n',
      'docs/ours.md': '',
      'docs/.claude-batchignore': 'ours.md\n',
    }
    expect((await found(['docs'], files)).paths).toEqual(['docs/kept.md'])
  })

  it('never searches the output folder', async () => {
    const cwd = await createFolder({ 'a.md': '', 'summaries/b.md': '' })
    expect((await found(['.'], {}, { cwd, out: join(cwd, 'summaries') })).paths).toEqual(['a.md'])
  })

  it('keeps the absolute path of documents outside the working directory', async () => {
    const elsewhere = await createFolder({ 'x.md': '' })
    expect((await found([elsewhere])).paths).toEqual([toSlashes(join(elsewhere, 'x.md'))])
  })

  it('treats two hard links as two documents', async () => {
    const cwd = await createFolder({ 'docs/one.md': 'x' })
    await link(join(cwd, 'docs/one.md'), join(cwd, 'docs/two.md'))
    expect(await found(['docs', 'docs/two.md'], {}, { cwd })).toMatchObject({
      paths: ['docs/one.md', 'docs/two.md'],
      skipped: new Map(),
    })
  })

  it('finds a file with several links once: by its named path, or else by its own', async () => {
    const cwd = await createFolder({ 'docs/m.md': 'x', 'docs/sub/n.md': 'x' })
    await symlink('m.md', join(cwd, 'docs/a.md'))
    await symlink('sub', join(cwd, 'docs/all'))
    await symlink('docs', join(cwd, 'other'))
    const kinds = async (...inputs: string[]) =>
      (await found(inputs, {}, { cwd, follow: true })).sources.map(({ path, problem }) => [
        path,
        problem?.message,
      ])
    expect(await kinds('docs')).toEqual([
      ['docs/a.md', 'the same file as docs/m.md'],
      ['docs/all/n.md', 'the same file as docs/sub/n.md'],
      ['docs/m.md', undefined],
      ['docs/sub/n.md', undefined],
    ])
    expect(await kinds('other/m.md', 'docs')).toEqual([
      ['docs/a.md', 'the same file as other/m.md'],
      ['docs/all/n.md', 'the same file as docs/sub/n.md'],
      ['docs/m.md', 'the same file as other/m.md'],
      ['docs/sub/n.md', undefined],
      ['other/m.md', undefined],
    ])
  })

  it('counts a file that is named twice as a duplicate, but not one that is both named and found', async () => {
    const { paths, skipped } = await found(['docs/a.md', './docs/a.md', 'docs/deep', 'docs/deep/c.txt'])
    expect(paths).toEqual(['docs/a.md', 'docs/deep/c.txt'])
    expect([...skipped]).toEqual([['duplicate', { count: 1, paths: ['docs/a.md'] }]])
  })

  it('follows links only with --follow, and stops at loops', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'a', 'other/o.md': 'o' })
    await symlink('.', join(cwd, 'docs/loop1'))
    await symlink('..', join(cwd, 'docs/loop2'))
    await symlink(join(cwd, 'other'), join(cwd, 'docs/other'))
    await symlink(join(cwd, 'other/o.md'), join(cwd, 'docs/linked.md'))
    const without = await found(['docs'], {}, { cwd })
    expect(without.sources.map(({ path, problem }) => [path, problem?.type])).toEqual([
      ['docs/a.md', undefined],
      ['docs/linked.md', 'link'],
    ])
    const followed = (await found(['docs'], {}, { cwd, follow: true })).paths
    expect(followed.filter((path) => path.endsWith('a.md'))).toHaveLength(1)
    expect(followed.filter((path) => path.endsWith('o.md') || path.endsWith('linked.md'))).toHaveLength(1)
  })

  it('never finds output of earlier runs; reports it unless its document is next to it', async () => {
    const files = {
      'a.md': '',
      'a.md.summary.md': '',
      'old/b.md.error.txt': '',
      'old/c.summary.md': '',
      'old/build.error.txt': '',
    }
    const { sources } = await found(['.', 'a.md.summary.md'], files)
    expect(sources.map(({ path, problem }) => [path, problem?.type])).toEqual([
      ['a.md', undefined],
      ['a.md.summary.md', 'earlier_output'],
      ['old/b.md.error.txt', 'earlier_output'],
      ['old/build.error.txt', undefined],
      ['old/c.summary.md', 'earlier_output'],
    ])
  })

  it('finds a named file that looks like a summary, where no run can have written one', async () => {
    const files = {
      'notes/cat.summary.md': '',
      'docs/a.md': '',
      'docs/a.md.summary.md': '',
      'out/docs/b.md.summary.md': '',
      'before/.claude-batch/ledger.jsonl': '',
      'before/docs/c.md.error.txt': '',
    }
    const ours = ['docs/a.md.summary.md', 'out/docs/b.md.summary.md', 'before/docs/c.md.error.txt']
    const cwd = await createFolder(files)
    const options = { cwd, out: join(cwd, 'out') }
    const all = await found(['notes/cat.summary.md', ...ours], {}, options)
    expect(all.sources.filter(({ problem }) => problem === undefined).map(({ path }) => path)).toEqual([
      'notes/cat.summary.md',
    ])
    expect(all).toMatchObject({ foundAnything: true, earlierOutputs: ours })
    expect(await found(ours, {}, options)).toMatchObject({ foundAnything: false, earlierOutputs: ours })
    expect((await found(['notes'], {}, options)).sources[0]?.problem?.type).toBe('earlier_output')
  })

  it.runIf(has.anyName)('accepts names with a backslash', async () => {
    const { paths } = await found(['c'], { 'c/back\\slash.md': '', 'c/back/slash.md': '' })
    expect(paths).toEqual(['c/back/slash.md', 'c/back\\slash.md'])
  })

  it('finds nothing for a pattern in a folder that does not exist', async () => {
    expect(await found(['nope/**/*.md'])).toMatchObject({
      foundAnything: false,
      unmatchedPatterns: ['nope/**/*.md'],
    })
  })

  it.runIf(has.pipes)('reports pipes instead of opening them', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'a' })
    execFileSync('mkfifo', [join(cwd, 'docs/pipe.md')])
    const walked = await found(['docs'], {}, { cwd })
    expect(walked.sources.map(({ path, problem }) => [path, problem?.action])).toEqual([
      ['docs/a.md', undefined],
      ['docs/pipe.md', 'skip'],
    ])
    const named = await found(['docs/pipe.md'], {}, { cwd })
    expect(named.sources[0]?.problem).toMatchObject({ action: 'fail', type: 'not_a_file' })
  })

  it.each(['*a*a*a*a*a*a*a*b', '@(+(a)+(a))b', `${'x'.repeat(300)}*`])(
    'refuses the pattern %j, which could take unbounded time',
    async (pattern) => {
      await expect(found([pattern])).rejects.toMatchObject({ exit: 'usage' })
    },
  )
})
