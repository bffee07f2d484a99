import { appendFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCountedFolder } from '../../support/counted-folder.ts'

const documents = Object.fromEntries(
  ['a', 'b', 'c'].map((name) => [`docs/${name}.md`, `# Note ${name}\n\nThe ferry ${name} sails at nine.\n`]),
)
const summarize = ['summarize', 'docs']

describe('summaries made with other settings', () => {
  it.each([
    [
      'model',
      ['--model', 'sonnet'],
      'claude-batch: kept 3 summaries made with claude-haiku-5-5 (this run uses claude-sonnet-5-5); to replace them, add --redo settings\n',
    ],
    [
      'prompt',
      ['--prompt', 'summarize@v1'],
      'kept 3 summaries made with summarize@v3 (this run uses summarize@v1);',
    ],
    ['parameter', ['--max-tokens', '500'], 'kept 3 summaries made with other settings (a parameter, '],
    [
      'language',
      ['--language', 'German'],
      'kept 3 summaries made with other settings (a parameter, the language, ',
    ],
    ['length', ['--words', '40'], 'kept 3 summaries made with other settings'],
    ['model with --yes', ['--model', 'sonnet', '--yes'], 'kept 3 summaries made with claude-haiku-5-5 ('],
    ['model in a batch', ['--model', 'sonnet', '--batch'], 'kept 3 summaries made with claude-haiku-5-5 ('],
  ])('are kept without a terminal, and one line says so: %s', async (_name, flags, line) => {
    const { cwd, run, list } = await createCountedFolder(documents)
    expect(await run(summarize)).toMatchObject({ code: 0, hits: 3 })
    const before = await list('summaries')
    const { code, hits, stderr } = await run([...summarize, ...flags])
    expect([code, hits]).toEqual([0, 0])
    expect(stderr).toContain(line)
    expect(stderr).toContain('3 skipped (3 kept: made with other settings')
    expect(await list('summaries')).toEqual(before)
    // New and changed documents are summarized with the new settings.
    await writeFile(join(cwd, 'docs/new.md'), 'Something new.')
    await appendFile(join(cwd, 'docs/a.md'), 'And at ten.\n')
    const second = await run([...summarize, ...flags.filter((flag) => flag !== '--batch')])
    expect(second).toMatchObject({ code: 0, hits: 2 })
    // The nightly command without the flag keeps those in turn.
    expect(await run(summarize)).toMatchObject({ code: 0, hits: 0 })
  })

  it('are kept silently with --quiet', async () => {
    const { run } = await createCountedFolder(documents)
    await run(summarize)
    expect(await run([...summarize, '--model', 'sonnet', '-q'])).toMatchObject({
      code: 0,
      hits: 0,
      stderr: '',
    })
  })

  it('are replaced after a yes on the terminal, and kept after a no', async () => {
    const { run } = await createCountedFolder(documents)
    await run(summarize)
    const flags = [...summarize, '--model', 'sonnet']
    const no = await run(flags, { confirmAnswer: false })
    expect(no).toMatchObject({ code: 0, hits: 0 })
    expect(no.stderr).toContain(
      '3 summaries were made with claude-haiku-5-5 (this run uses claude-sonnet-5-5). Replace them? [y/N]',
    )
    const yes = await run(flags, { confirmAnswer: true })
    expect(yes).toMatchObject({ code: 0, hits: 3 })
    expect(await run(flags)).toMatchObject({ code: 0, hits: 0 })
  })

  it('are replaced by --redo settings, and by --redo all', async () => {
    const { run } = await createCountedFolder(documents)
    await run(summarize)
    expect(await run([...summarize, '--model', 'sonnet', '--redo', 'settings'])).toMatchObject({ hits: 3 })
    expect(await run([...summarize, '--redo', 'all'])).toMatchObject({ hits: 3 })
  })

  it('are kept for documents that were only touched, and summarized again for changed ones', async () => {
    const { cwd, run } = await createCountedFolder(documents)
    await run(summarize)
    await utimes(join(cwd, 'docs/a.md'), 1, 1)
    // Another text of the same length.
    await writeFile(join(cwd, 'docs/b.md'), '# Note b\n\nThe ferry b sails at five.\n')
    const { code, hits, stderr } = await run([...summarize, '--model', 'sonnet'])
    expect([code, hits]).toEqual([0, 1])
    expect(stderr).toContain('kept 2 summaries made with claude-haiku-5-5')
  })

  it('are kept after a failure with the same settings, and replaced if the failure was with the new ones', async () => {
    const folder = await createCountedFolder(documents)
    const run = (...flags: string[]) => folder.run([...summarize, '--retries', '0', ...flags])
    await run()
    const answer = folder.behave
    folder.behave = (...request) =>
      request[0].includes('Note b') ? { kind: 'status', status: 529 } : answer(...request)
    await run('--redo', 'all')
    folder.behave = answer
    for (const flags of [[], ['--redo', 'failed']])
      expect(await run('--model', 'sonnet', ...flags)).toMatchObject({ code: 0, hits: 0 })
    folder.behave = (...request) =>
      request[0].includes('Note b') ? { kind: 'status', status: 529 } : answer(...request)
    await run('--model', 'sonnet', '--redo', 'settings')
    folder.behave = answer
    expect(await run('--model', 'sonnet')).toMatchObject({ code: 0, hits: 1 })
  })

  it('are no obstacle if the summary was deleted', async () => {
    const { cwd, run } = await createCountedFolder(documents)
    await run(summarize)
    await rm(join(cwd, 'summaries/docs/a.md.summary.md'))
    expect(await run([...summarize, '--model', 'sonnet'])).toMatchObject({ code: 0, hits: 1 })
  })

  it('are not paid for by a setting that does not change the request', async () => {
    const { run } = await createCountedFolder(documents)
    await run(summarize)
    // No document is a PDF.
    const { hits, stderr } = await run([...summarize, '--pdf', 'native'])
    expect([hits, stderr]).toEqual([0, expect.not.stringContaining('kept')])
    expect(stderr).toContain('3 unchanged')
  })

  it('are not in the estimate of a dry run, which counts them', async () => {
    const { run } = await createCountedFolder(documents)
    await run(summarize)
    for (const flags of [
      ['--model', 'sonnet'],
      ['--max-tokens', '500'],
    ]) {
      const { code, stdout } = await run([...summarize, ...flags, '--dry-run'])
      expect(code).toBe(0)
      expect(stdout).toMatch(/0 to summarize|0 pending|documents +3/)
      expect(stdout).toContain('made with other settings')
    }
  })

  it('are kept for a digest, too', async () => {
    const { run, list } = await createCountedFolder(documents)
    await run([...summarize, '--digest', 'all.md'])
    const before = await list()
    const { code, hits } = await run([...summarize, '--digest', 'all.md', '--model', 'sonnet'])
    expect([code, hits]).toEqual([0, 0])
    expect(await list()).toEqual(before)
  })

  it('are kept for a document on stdin', async () => {
    const { run } = await createCountedFolder({})
    const args = ['summarize', '-', '-o', 'out']
    expect(await run(args, { input: 'A text.' })).toMatchObject({ code: 0, hits: 1 })
    const again = await run([...args, '--model', 'sonnet'], { input: 'A text.' })
    expect(again).toMatchObject({ code: 0, hits: 0 })
    expect(await run([...args, '--model', 'sonnet'], { input: 'Another text.' })).toMatchObject({ hits: 1 })
  })
})
