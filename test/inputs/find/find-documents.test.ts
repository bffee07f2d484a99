import { execFileSync } from 'node:child_process'
import { link, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { defaultExtensions } from '../../../src/config/default-extensions.ts'
import { type FindOptions, findDocuments } from '../../../src/inputs/find/find-documents.ts'
import { createFolder } from '../../support/run-cli.ts'

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

describe('find', () => {
  it('walks a directory for documents: sorted, without hidden, ignored, and our own files', async () => {
    const { sources } = await found(['docs'])
    expect(sources.map(({ path, index }) => [index, path])).toEqual([
      [0, 'docs/a.md'],
      [1, 'docs/b.md'],
      [2, 'docs/build.error.txt'],
      [3, 'docs/deep/c.txt'],
    ])
  })

  it('takes a named file whatever its extension, and once however often and however it is named', async () => {
    const { sources } = await found(['docs/image.png', './docs/a.md', 'docs/a.md', 'docs'])
    expect(sources.map(({ path, namedByUser }) => [path, namedByUser])).toEqual([
      ['docs/a.md', true],
      ['docs/b.md', false],
      ['docs/build.error.txt', false],
      ['docs/deep/c.txt', false],
      ['docs/image.png', true],
    ])
  })

  it('takes an existing path for itself, though it looks like a pattern', async () => {
    expect((await found(['notes[1].md'])).paths).toEqual(['notes[1].md'])
  })

  it('expands patterns, without regard to extensions', async () => {
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

  it('takes an empty directory for something', async () => {
    const cwd = await createFolder({})
    await mkdir(join(cwd, 'empty'))
    expect(await found(['empty'], {}, { cwd })).toMatchObject({ sources: [], foundAnything: true })
  })

  it('takes hidden and ignored files only when told to', async () => {
    expect((await found(['docs'], tree, { hidden: true })).paths).toContain('docs/.hidden/h.md')
    const { paths } = await found(['docs'], tree, { ignoreFiles: false })
    for (const path of ['docs/drafts/d.md', 'docs/node_modules/n.md', 'docs/x.log'])
      expect(paths).toContain(path)
  })

  it('walks a directory that is ignored or never meant, when it is named', async () => {
    expect((await found(['docs/node_modules', 'docs/drafts', 'docs/.hidden'])).paths).toEqual([
      'docs/.hidden/h.md',
      'docs/drafts/d.md',
      'docs/node_modules/n.md',
    ])
  })

  it('honours the ignore files above, and lets the nearer and our own override them', async () => {
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

  it('never takes the output folder', async () => {
    const cwd = await createFolder({ 'a.md': '', 'summaries/b.md': '' })
    expect((await found(['.'], {}, { cwd, out: join(cwd, 'summaries') })).paths).toEqual(['a.md'])
  })

  it('keeps the absolute path of what lies outside the working directory', async () => {
    const elsewhere = await createFolder({ 'x.md': '' })
    expect((await found([elsewhere])).paths).toEqual([`${elsewhere}/x.md`])
  })

  it('takes two hard links for two documents', async () => {
    const cwd = await createFolder({ 'docs/one.md': 'x' })
    await link(join(cwd, 'docs/one.md'), join(cwd, 'docs/two.md'))
    expect(await found(['docs', 'docs/two.md'], {}, { cwd })).toMatchObject({
      paths: ['docs/one.md', 'docs/two.md'],
      skipped: new Map(),
    })
  })

  it('takes a file once that several links lead to: the one that was named, else the file itself', async () => {
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

  it('counts a file that was named twice, but not one that was named and found', async () => {
    const { paths, skipped } = await found(['docs/a.md', './docs/a.md', 'docs/deep', 'docs/deep/c.txt'])
    expect(paths).toEqual(['docs/a.md', 'docs/deep/c.txt'])
    expect([...skipped]).toEqual([['duplicate', { count: 1, paths: ['docs/a.md'] }]])
  })

  it('follows links only when told to, and loops end', async () => {
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

  it('never takes what earlier runs wrote: silently beside its document, told elsewhere and when it is named', async () => {
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

  it('takes a file that is named for its own sake, though its name is like a summary’s, where none of ours can be', async () => {
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

  it('takes names with a backslash for what they are', async () => {
    const { paths } = await found(['c'], { 'c/back\\slash.md': '', 'c/back/slash.md': '' })
    expect(paths).toEqual(['c/back/slash.md', 'c/back\\slash.md'])
  })

  it('finds nothing for a pattern that begins where there is nothing', async () => {
    expect(await found(['nope/**/*.md'])).toMatchObject({
      foundAnything: false,
      unmatchedPatterns: ['nope/**/*.md'],
    })
  })

  it('names pipes instead of opening them', async () => {
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
    'refuses the pattern %j, which could take for ever',
    async (pattern) => {
      await expect(found([pattern])).rejects.toMatchObject({ exit: 'usage' })
    },
  )
})
