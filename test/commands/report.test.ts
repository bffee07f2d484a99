import { appendFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const documents = Object.fromEntries(
  ['a', 'b', 'c', 'd'].map((name) => [`docs/${name}.md`, `Note ${name} about the harbour.`]),
)

async function folderOfTwoRuns() {
  const cwd = await createFolder(documents)
  const { env, simulator } = await startService({
    script: ({ request }) =>
      request.text.includes('Note d') ? { kind: 'status', status: 422 } : { kind: 'answer', delayMs: 1 },
  })
  const run = (...args: string[]) => runInProcess(args, { cwd, env })
  await run('summarize', 'docs', '--prompt', 'summarize@v1')
  await run('summarize', 'docs/a.md', 'docs/b.md', '--redo', 'settings')
  const summaries = async () => (await readdir(join(cwd, 'summaries/docs'))).sort()
  return { cwd, run, summaries, simulator }
}

describe('claude-batch report', () => {
  it('prints totals of past runs, failing documents and stale summaries', async () => {
    const { run, cwd, simulator } = await folderOfTwoRuns()
    await rm(join(cwd, 'docs/b.md'))
    const { code, stdout, stderr } = await run('report')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/summarize@v1 +claude-haiku-5-5 +3 +1 /)
    expect(stdout).toMatch(/summarize@v3 +claude-haiku-5-5 +2 +0 /)
    const { inputTokens, outputTokens } = simulator.stats().billed
    expect(stdout).toMatch(
      new RegExp(`all +2 runs +5 +1 +${inputTokens.toLocaleString('en-US')} +${outputTokens} `),
    )
    expect(stdout).toContain('3 documents with a summary, 1 failing, 2 stale')
    expect(stdout).toMatch(/failing:\n {2}docs\/d\.md: 422 /)
    expect(stdout).toContain('  docs/b.md: its document is deleted')
    expect(stdout).toContain('  docs/c.md: made with summarize@v1; the last run used summarize@v3')
  })

  it('deletes stale summaries only with --prune, and never edited ones', async () => {
    const { run, cwd, summaries } = await folderOfTwoRuns()
    await rm(join(cwd, 'docs/b.md'))
    await appendFile(join(cwd, 'summaries/docs/c.md.summary.md'), 'My own word.\n')
    await run('report')
    expect(await summaries()).toEqual(
      ['a', 'b', 'c'].map((name) => `${name}.md.summary.md`).concat('d.md.error.txt'),
    )
    const { code, stderr } = await run('report', '--prune')
    expect(code).toBe(0)
    expect(stderr).toContain('1 of 2 stale summaries removed')
    expect(await summaries()).toEqual(['a.md.summary.md', 'c.md.summary.md', 'd.md.error.txt'])
    const after = await run('report')
    expect(after.stdout).toContain('2 documents with a summary, 1 failing, 1 stale')
    expect(after.stdout).toMatch(/all +2 runs +5 +1 /)
  })

  it('does not mistake a missing disk for deleted documents', async () => {
    const { run, cwd, summaries } = await folderOfTwoRuns()
    const before = await summaries()
    await rename(join(cwd, 'docs'), join(cwd, 'elsewhere'))
    const { code, stderr, stdout } = await run('report', '--prune')
    expect(code).toBe(6)
    expect(stderr).toContain('0 of 3 stale summaries removed')
    expect(stderr).toContain(
      'every document in docs is missing; kept its 3 summaries in case a disk is not mounted. If the documents were deleted: claude-batch report summaries --prune --gone docs',
    )
    expect(stdout).toContain(
      'docs/a.md: its document is deleted (kept: all of docs is missing, perhaps a disk that is not mounted)',
    )
    expect(await summaries()).toEqual(before)
    // Follow the advice of the message.
    await rm(join(cwd, 'summaries/docs'), { recursive: true })
    expect(await run('report', '--prune')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('3 of 3'),
    })
    expect((await run('report')).stdout).toContain('0 documents with a summary')
  })

  it('finds the documents from another working directory', async () => {
    const { cwd } = await folderOfTwoRuns()
    const { stdout } = await runInProcess(['report', join(cwd, 'summaries')], { cwd: '/', env: {} })
    expect(stdout).toContain('3 documents with a summary')
    expect(stdout).not.toContain('its document is deleted')
  })

  it('distinguishes documents with the same name in two directories', async () => {
    const cwd = await createFolder({ 'desk/a.md': 'Desk.', 'desk/b.md': 'Lamp.', 'shed/a.md': 'Saw.' })
    const { env } = await startService({})
    const out = join(cwd, 'out')
    for (const name of ['desk', 'shed'])
      await runInProcess(['summarize', '.', '--out', out], { cwd: join(cwd, name), env })
    await rm(join(cwd, 'desk/a.md'))
    for (const where of ['', 'shed', 'desk']) {
      const { stdout } = await runInProcess(['report', out], { cwd: join(cwd, where), env })
      expect(stdout).toContain('3 documents with a summary, 0 failing, 1 stale')
    }
    const pruned = await runInProcess(['report', out, '--prune'], { cwd, env })
    expect(pruned.stdout).toContain('stale:\n  desk/a.md: its document is deleted\n')
    expect(pruned.stderr).toContain('1 of 1 stale summaries removed')
    const after = await runInProcess(['report', out], { cwd, env })
    expect(after.stdout).toContain('2 documents with a summary, 0 failing, 0 stale')
    const again = await runInProcess(['summarize', '.', '--out', out], { cwd: join(cwd, 'shed'), env })
    expect(again.stderr).toContain('1 unchanged')
  })

  it('excludes simulated costs from the total', async () => {
    const cwd = await createFolder(documents)
    await runInProcess(['summarize', 'docs/a.md', '--simulate', '-q'], { cwd, env: {} })
    const simulated = await runInProcess(['report'], { cwd, env: {} })
    expect(simulated.stdout).toMatch(/claude-haiku-5-5 \(simulated\) +1 +0 .*\n1 document with a summary/)
    const { env } = await startService({})
    await runInProcess(['summarize', 'docs/b.md', '-q'], { cwd, env })
    const { stdout } = await runInProcess(['report'], { cwd, env: {} })
    expect(stdout).toMatch(/all +2 runs +1 simulated not counted +1 +0 /)
  })

  it('reports that a folder has no ledger', async () => {
    const cwd = await createFolder({})
    await writeFile(join(cwd, 'x'), '')
    const { code, stderr } = await runInProcess(['report', 'nowhere'], { cwd })
    expect(code).toBe(3)
    expect(stderr).toBe(
      'claude-batch: there is no ledger in nowhere: no run has written there; name the output folder: claude-batch report <dir>\n',
    )
  })
})
