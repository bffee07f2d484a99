import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCountedFolder } from '../../support/counted-folder.ts'

const documents = {
  'docs/a.md': '# Note a\n\nThe ferry sails at nine.\n',
  'docs/deep/b.md': '# Note b\n\nThe harbour is closed in May.\n',
  'notes/n.md': '# Note n\n\nThe board meets on Monday.\n',
}

async function summarized() {
  const folder = await createCountedFolder(documents)
  expect((await folder.run(['summarize', 'docs', 'notes'])).code).toBe(0)
  const at = (path: string) => join(folder.cwd, path)
  return { ...folder, at }
}

describe('an input folder that is empty although the ledger knows its documents', () => {
  it.each([[[]], [['-q']]])('is reported in one line, and the run exits with 3: %j', async (flags) => {
    const { run, at, list } = await summarized()
    await rename(at('docs'), at('elsewhere'))
    await mkdir(at('docs'))
    const before = await list('summaries')
    const { code, hits, stderr } = await run(['summarize', 'docs', ...flags])
    expect([code, hits]).toEqual([3, 0])
    expect(stderr).toContain(
      'claude-batch: docs is empty, but summaries has 2 summaries of documents in it; is a disk not mounted? If they were deleted: claude-batch report summaries --prune --gone docs\n',
    )
    if (flags.length > 0) expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(await list('summaries')).toEqual(before)
  })

  it('does not keep other folders from being summarized', async () => {
    const { run, at } = await summarized()
    await rm(at('docs'), { recursive: true })
    await mkdir(at('docs'))
    const { code, stderr } = await run([
      'summarize',
      'docs',
      'notes',
      '--model',
      'sonnet',
      '--redo',
      'settings',
    ])
    expect([code, stderr]).toEqual([3, expect.stringContaining('1 summarized')])
  })

  it('is no matter if it never had documents, or still has some', async () => {
    const { run, at } = await summarized()
    await mkdir(at('empty'))
    expect((await run(['summarize', 'empty'])).code).toBe(0)
    await rm(at('docs/a.md'))
    expect((await run(['summarize', 'docs'])).code).toBe(0)
    // An excluded document exists.
    expect((await run(['summarize', 'docs', '--exclude', '*.md'])).code).toBe(0)
  })

  it('can be pruned with --gone, which needs --prune', async () => {
    const { run, at, list } = await summarized()
    await rm(at('docs'), { recursive: true })
    await run(['report', '--prune'])
    expect(Object.keys(await list('summaries'))).toHaveLength(3)
    expect((await run(['report', '--gone', 'docs'])).code).toBe(2)
    const { code, stderr } = await run(['report', '--prune', '--gone', 'docs'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('2 of 2 stale summaries removed')])
    expect(Object.keys(await list('summaries'))).toEqual(['summaries/notes/n.md.summary.md'])
  })
})

describe('report --since', () => {
  it('leaves out earlier runs, and --group-by month sums the others up', async () => {
    const { run } = await summarized()
    const month = new Date().toISOString().slice(0, 7)
    const { code, stdout } = await run(['report', '--since', month, '--group-by', 'month'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${month} +3 `, 'm'))])
    expect((await run(['report', '--since', '2999-01-01', '--group-by', 'month'])).stdout).not.toContain(
      month,
    )
    const json = JSON.parse((await run(['report', '--since', '2999', '--format', 'json'])).stdout)
    expect(json).toMatchObject({ runs: [], totals: { summarized: 0 } })
    expect((await run(['report', '--since', 'yesterday'])).stderr).toContain(
      'expected a date like 2026-11-01',
    )
    expect((await run(['report', '--since', '2026-13-01'])).code).toBe(2)
  })
})
