import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const answer: Behaviour = { kind: 'answer', delayMs: 1 }
const note = (path: string) => `A note on ${path}, and what was said of it at the harbour.`

/** A folder with documents at the given paths, and functions that run claude-batch in it. */
async function setting(...paths: string[]) {
  const cwd = await createFolder(Object.fromEntries(paths.map((path) => [path, note(path)])))
  const setting = {
    cwd,
    behave: (_text: string) => answer,
    async run(...args: string[]) {
      return runInProcess(args, { cwd, env })
    },
    /** Runs `report --prune`, and returns the remaining summaries in `left`. */
    async prune(dir = 'summaries') {
      const ended = await runInProcess(['report', dir, '--prune'], { cwd, env })
      const files = await readdir(join(cwd, dir), { recursive: true })
      const left = files.filter((file) => file.endsWith('.summary.md'))
      return { ...ended, left: left.map((file) => file.replace('.summary.md', '')).sort() }
    },
  }
  const { env } = await startService({ script: ({ request }) => setting.behave(request.text) })
  return setting
}

describe('report --prune with deleted documents', () => {
  it.each([
    ['one document', 'docs/b.md', ['docs/a.md', 'docs/old/x.md', 'docs/old/y.md']],
    ['a subfolder of the input folder', 'docs/old', ['docs/a.md', 'docs/b.md']],
  ])('deletes the summaries of %s', async (_, path, kept) => {
    const { run, cwd, prune } = await setting('docs/a.md', 'docs/b.md', 'docs/old/x.md', 'docs/old/y.md')
    await run('summarize', 'docs')
    await rm(join(cwd, path), { recursive: true })
    expect(await prune()).toMatchObject({ code: 0, left: kept })
  })

  it.each([
    ['missing', async (folder: string) => rm(folder, { recursive: true })],
    [
      'empty like a mount point',
      async (folder: string) => {
        await rm(folder, { recursive: true })
        await mkdir(folder)
      },
    ],
    [
      'a dangling link',
      async (folder: string) => {
        await rename(folder, `${folder}.there`)
        await symlink('nowhere', folder)
      },
    ],
  ])('keeps the summaries of a folder that is %s, while another folder exists', async (_, hide) => {
    const { run, cwd, prune } = await setting('docs/a.md', 'docs/deep/b.md', 'notes/n.md', 'notes/gone.md')
    await run('summarize', 'docs', 'notes')
    await hide(join(cwd, 'docs'))
    await rm(join(cwd, 'notes/gone.md'))
    const { code, stderr, left } = await prune()
    expect(left).toEqual(['docs/a.md', 'docs/deep/b.md', 'notes/n.md'])
    expect(code).toBe(6)
    expect(stderr).toContain('1 of 3 stale summaries removed')
    expect(stderr).toMatch(
      /every document in docs is missing.* claude-batch report summaries --prune --gone docs\n/,
    )
  })

  it('keeps the summaries of an empty mount point inside an existing folder', async () => {
    const { run, cwd, prune } = await setting('docs/a.md', 'docs/disk/x.md', 'docs/disk/deep/y.md')
    await run('summarize', 'docs')
    await rm(join(cwd, 'docs/disk'), { recursive: true })
    await mkdir(join(cwd, 'docs/disk'))
    const { code, stderr, left } = await prune()
    expect([code, left]).toEqual([6, ['docs/a.md', 'docs/disk/deep/y.md', 'docs/disk/x.md']])
    expect(stderr).toContain('every document in docs/disk is missing; kept its 2 summaries')
  })

  it('keeps summaries of documents outside the working directory if their folder is missing', async () => {
    const { cwd, prune } = await setting('here/docs/a.md', 'media/one/x.md', 'media/one/y.md')
    const out = join(cwd, 'here/out')
    const inside = { cwd: join(cwd, 'here'), env: {} }
    await runInProcess(['summarize', 'docs', join(cwd, 'media/one'), '--simulate', '--out', out], inside)
    await rm(join(cwd, 'media/one/x.md'))
    expect((await prune('here/out')).stderr).toContain('1 of 1 stale')
    await rm(join(cwd, 'media/one'), { recursive: true })
    const { code, stderr } = await runInProcess(['report', out, '--prune'], inside)
    expect(code).toBe(6)
    expect(stderr).toContain(`every document in ${join(cwd, 'media/one')} is missing`)
  })

  it('keeps all summaries in an output folder that was moved next to unrelated documents', async () => {
    const { run, cwd, prune } = await setting('README.md', 'CHANGES.md', 'docs/a.md', 'docs/b.md')
    await run('summarize', '.')
    for (const path of ['README.md', 'docs/a.md']) {
      await mkdir(dirname(join(cwd, 'other', path)), { recursive: true })
      await writeFile(join(cwd, 'other', path), 'Something else altogether.')
    }
    await rename(join(cwd, 'summaries'), join(cwd, 'other/summaries'))
    const { code, left } = await prune('other/summaries')
    expect([code, left.length]).toEqual([6, 4])
  })

  it('keeps a file of the user with the name of an error record', async () => {
    const { run, cwd, prune } = await setting('docs/a.md', 'docs/b.md')
    await run('summarize', 'docs')
    const own = join(cwd, 'summaries/docs/b.md.error.txt')
    await writeFile(own, 'MY OWN FILE')
    await rm(join(cwd, 'docs/b.md'))
    expect(await prune()).toMatchObject({ code: 0, left: ['docs/a.md'] })
    expect(await readFile(own, 'utf8')).toBe('MY OWN FILE')
  })
})

describe('report --prune with older prompt versions', () => {
  it('keeps the summaries of a folder in which the newer version was never used', async () => {
    const { run, prune } = await setting('docs/a/x.md', 'docs/b/y.md')
    const one = () => run('summarize', 'docs/a', '--prompt', 'summarize@v1')
    const two = () => run('summarize', 'docs/b', '--prompt', 'summarize@v2')
    for (const job of [one, two, one, two]) expect((await job()).code).toBe(0)
    const { code, stdout, stderr, left } = await prune()
    expect(stdout).toContain(
      'docs/a/x.md: made with summarize@v1; the last run used summarize@v2 (kept: the newer version was not used in its folder)',
    )
    expect([code, left]).toEqual([0, ['docs/a/x.md', 'docs/b/y.md']])
    expect(stderr).toContain('0 of 1 stale summaries removed')
  })

  it('deletes a summary if a newer version was used in its folder later', async () => {
    const { run, prune } = await setting('docs/x.md', 'docs/y.md')
    await run('summarize', 'docs', '--prompt', 'summarize@v1')
    await run('summarize', 'docs/x.md', '--redo', 'settings')
    expect(await prune()).toMatchObject({ code: 0, left: ['docs/x.md'] })
  })

  it('keeps summaries made with an older version after a newer one', async () => {
    const { run, prune } = await setting('docs/x.md', 'docs/y.md', 'notes/n.md')
    await run('summarize', 'docs')
    await run('summarize', 'docs/x.md', '--prompt', 'summarize@v1')
    await run('summarize', 'notes')
    expect(await prune()).toMatchObject({ code: 0, left: ['docs/x.md', 'docs/y.md', 'notes/n.md'] })
  })

  it('keeps the summary and the error record of a document that fails with the newer version', async () => {
    const it = await setting('docs/x.md', 'docs/y.md')
    await it.run('summarize', 'docs', '--prompt', 'summarize@v1')
    it.behave = (text) => (text.includes('docs/x.md') ? { kind: 'status', status: 422 } : answer)
    expect(await it.run('summarize', 'docs', '--redo', 'settings')).toMatchObject({ code: 1 })
    const { stdout, left } = await it.prune()
    expect(left).toEqual(['docs/x.md', 'docs/y.md'])
    expect(stdout).toContain('(kept: its document fails)')
    expect(await readdir(join(it.cwd, 'summaries/docs'))).toContain('x.md.error.txt')
  })
})
