import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCountedFolder } from '../../support/counted-folder.ts'

const documents = {
  'docs/a.md': '# Note a\n\nThe ferry sails at nine.\n',
  'docs/b.md': '# Note b\n\nThe harbour is closed in May.\n',
}
const real = (text: string) => ({ kind: 'answer' as const, delayMs: 1, text })

async function folderOfRealSummaries(batchMs?: number) {
  const folder = await createCountedFolder(documents, batchMs)
  folder.behave = (text) => real(text.includes('Note a') ? 'The ferry is early.' : 'The harbour is closed.')
  expect(await folder.run(['summarize', 'docs'])).toMatchObject({ code: 0, hits: 2 })
  return folder
}

describe('a simulated run', () => {
  it.each([
    ['--simulate', ['--simulate'], {}],
    ['--simulate -q', ['--simulate', '-q'], {}],
    ['the variable of the environment', [], { CLAUDE_BATCH_SIMULATE: '1' }],
    ['--simulate --redo all --force', ['--simulate', '--redo', 'all', '--force'], {}],
    ['--simulate --redo settings', ['--simulate', '--redo', 'settings'], {}],
    ['--simulate --batch', ['--simulate', '--batch'], {}],
  ])('leaves real summaries as they are, up to date or not: %s', async (_name, flags, env) => {
    const { cwd, run, list } = await folderOfRealSummaries()
    const before = await list('summaries')
    await appendFile(join(cwd, 'docs/b.md'), 'And open again in June.\n')
    const { code, stderr } = await run(['summarize', 'docs', ...flags], { env })
    expect(code).toBe(0)
    if (!flags.some((flag) => flag === '-q')) expect(stderr).toContain('2 skipped (2 kept: made with the API')
    expect(await list('summaries')).toEqual(before)
    // The next real run still pays only for what changed.
    expect(await run(['summarize', 'docs'])).toMatchObject({ code: 0, hits: 1 })
  })

  it('summarizes documents without a real summary, and a real run replaces these without a question', async () => {
    const folder = await createCountedFolder(documents)
    expect(await folder.run(['summarize', 'docs', '--simulate'])).toMatchObject({ code: 0, hits: 0 })
    expect((await folder.list('summaries'))['summaries/docs/a.md.summary.md']).toMatch(/^\[simulated\]/)
    folder.behave = () => real('It is real.')
    const { code, hits, stderr } = await folder.run(['summarize', 'docs'])
    expect([code, hits]).toEqual([0, 2])
    expect(stderr).toMatch(/redone +2 \(simulated before\)/)
    expect((await folder.list('summaries'))['summaries/docs/a.md.summary.md']).toBe('It is real.\n')
  })

  it('leaves an error record with a reply that was paid for', async () => {
    const folder = await createCountedFolder(documents)
    folder.behave = () => ({ ...real('The ferry'), stopReason: 'max_tokens' })
    expect(await folder.run(['summarize', 'docs'])).toMatchObject({ code: 1, hits: 2 })
    const before = await folder.list('summaries')
    expect((await folder.run(['summarize', 'docs', '--simulate'])).code).toBe(0)
    expect(await folder.list('summaries')).toEqual(before)
  })

  it('does not prevent a real run after a rehearsal with a failure', async () => {
    const { run } = await createCountedFolder(documents)
    expect((await run(['summarize', 'docs', '--simulate', '--max-tokens', '1'])).code).toBeLessThan(2)
    expect(await run(['summarize', 'docs'])).toMatchObject({ code: 0, hits: 2 })
  })

  it('leaves the real summary of a document that is in a batch', async () => {
    const { cwd, run, list } = await folderOfRealSummaries(86_400_000)
    await appendFile(join(cwd, 'docs/b.md'), 'And open again in June.\n')
    await run(['summarize', 'docs', '--batch', '--detach'])
    const before = await list('summaries')
    expect(await run(['summarize', 'docs', '--simulate'])).toMatchObject({ code: 0 })
    expect(await list('summaries')).toEqual(before)
  })

  it('leaves the chunks of a document that were paid for', async () => {
    const sentences = Array.from({ length: 400 }, (_, n) => `Sentence ${n}: the ferry sails at nine.`)
    const folder = await createCountedFolder({ 'docs/long.md': sentences.join('\n\n') })
    folder.behave = (text) =>
      text.includes('Sentence 399') ? { kind: 'status', status: 529 } : real('It sails.')
    const args = ['summarize', 'docs', '--chunk-tokens', '2000', '--retries', '0']
    expect((await folder.run(args)).hits).toBeGreaterThan(3)
    expect((await folder.run([...args, '--simulate'])).code).toBe(0)
    folder.behave = () => real('It sails.')
    // The last chunk, and the summary of the notes.
    expect(await folder.run(args)).toMatchObject({ code: 0, hits: 2 })
  })
})
