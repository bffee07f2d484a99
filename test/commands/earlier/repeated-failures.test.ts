import { appendFile, copyFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../../src/simulator/script.ts'
import { createCountedFolder } from '../../support/counted-folder.ts'

const documents = {
  'docs/good.md': '# Good\n\nThe ferry sails at nine.\n',
  'docs/bad.md': '# Bad\n\nThe harbour is closed in May.\n',
}
const answer: Behaviour = { kind: 'answer', delayMs: 1 }
const schema = JSON.stringify({
  type: 'object',
  properties: { title: { type: 'string' } },
  required: ['title'],
  additionalProperties: false,
})
const failures: [string, Behaviour, string[]][] = [
  ['a refusal', { ...answer, stopReason: 'refusal' }, []],
  ['a reply that was cut off', { ...answer, stopReason: 'max_tokens' }, []],
  ['a full window', { ...answer, stopReason: 'model_context_window_exceeded' }, []],
  ['an empty reply', { ...answer, text: ' ' }, []],
  ['a reply that does not match the schema', { ...answer, text: '{"name":1}' }, ['--schema', 's.json']],
  ['a prompt that is too long', { kind: 'status', status: 400, message: 'prompt is too long: 9 > 8' }, []],
  ['a request that is too large', { kind: 'status', status: 413 }, []],
]

async function folderWithFailure(behaviour: Behaviour, flags: readonly string[]) {
  const folder = await createCountedFolder({ ...documents, 's.json': schema })
  folder.behave = (text) => (text.includes('# Bad') ? behaviour : answer)
  const run = (...more: string[]) => folder.run(['summarize', 'docs', ...flags, ...more])
  expect((await run()).code).toBe(1)
  return { ...folder, run, folder }
}

describe('a document that failed and would fail again', () => {
  it.each(failures)('is not sent again, and the run exits with 1: %s', async (_name, behaviour, flags) => {
    const { run, list } = await folderWithFailure(behaviour, flags)
    const before = await list('summaries')
    const again = await run()
    expect(again).toMatchObject({ code: 1, hits: 0 })
    expect(again.stderr).toContain(
      'claude-batch: 1 document failed in an earlier run and would fail again; see the .error.txt file, then use --redo failed to send it again\n',
    )
    const quiet = await run('-q')
    expect(quiet).toMatchObject({ code: 1, hits: 0 })
    expect(quiet.stderr.split('\n')).toHaveLength(2)
    expect(await list('summaries')).toEqual(before)
    expect(await run('--batch')).toMatchObject({ code: 1, hits: 0 })
  })

  it.each(failures)('is sent again with --redo failed: %s', async (_name, behaviour, flags) => {
    const { run, folder } = await folderWithFailure(behaviour, flags)
    expect(await run('--redo', 'failed')).toMatchObject({ code: 1, hits: 1 })
    folder.behave = () => (flags.length === 0 ? answer : { ...answer, text: '{"title":"x"}' })
    expect(await run('--redo', 'failed')).toMatchObject({ code: 0, hits: 1 })
    expect(await run()).toMatchObject({ code: 0, hits: 0 })
  })

  it('is sent again when the document or a setting changes, or its error record is deleted', async () => {
    const { cwd, run } = await folderWithFailure({ ...answer, stopReason: 'max_tokens' }, [])
    await appendFile(join(cwd, 'docs/bad.md'), 'More.\n')
    expect(await run()).toMatchObject({ code: 1, hits: 1 })
    expect(await run()).toMatchObject({ code: 1, hits: 0 })
    // The good summary is kept, as it was made with other settings.
    expect(await run('--max-tokens', '2000')).toMatchObject({ code: 1, hits: 1 })
    expect(await run('--max-tokens', '2000')).toMatchObject({ code: 1, hits: 0 })
    await rm(join(cwd, 'summaries/docs/bad.md.error.txt'))
    expect(await run('--max-tokens', '2000')).toMatchObject({ code: 1, hits: 1 })
  })

  it('is not sent again after it was moved or copied, and --redo failed includes it', async () => {
    const { run, cwd, folder, list } = await folderWithFailure({ ...answer, stopReason: 'max_tokens' }, [])
    await copyFile(join(cwd, 'docs/bad.md'), join(cwd, 'docs/copy.md'))
    await rename(join(cwd, 'docs/bad.md'), join(cwd, 'docs/moved.md'))
    expect(await run()).toMatchObject({ code: 1, hits: 0, stderr: expect.stringContaining('2 failed') })
    expect((await list('summaries'))['summaries/docs/moved.md.error.txt']).toMatch(
      /^ERROR: reply max_tokens: cut off at 1024 output tokens; raise --max-tokens\n$/,
    )
    expect(await run()).toMatchObject({
      code: 1,
      hits: 0,
      stderr: expect.stringContaining('2 failed before'),
    })
    folder.behave = () => answer
    expect(await run('--redo', 'failed')).toMatchObject({ code: 0, hits: 1 })
  })

  it('is sent again with --redo failed if it is a digest', async () => {
    const folder = await createCountedFolder(documents)
    folder.behave = (text) => (/# (Good|Bad)/.test(text) ? answer : { ...answer, stopReason: 'refusal' })
    const run = (...more: string[]) => folder.run(['summarize', 'docs', '--digest', 'all.md', ...more])
    expect(await run()).toMatchObject({ code: 1, hits: 3 })
    expect(await run()).toMatchObject({ code: 1, hits: 0 })
    expect(await run('--redo', 'failed')).toMatchObject({ code: 1, hits: 1 })
  })

  it('keeps its earlier summary and its error record', async () => {
    const folder = await createCountedFolder(documents)
    const run = (...more: string[]) => folder.run(['summarize', 'docs', ...more])
    await run()
    await appendFile(join(folder.cwd, 'docs/bad.md'), 'More.\n')
    folder.behave = () => ({ ...answer, stopReason: 'refusal' })
    expect(await run()).toMatchObject({ code: 1, hits: 1 })
    const before = await folder.list('summaries')
    expect(Object.keys(before).filter((path) => path.includes('bad.md'))).toHaveLength(2)
    expect(await run()).toMatchObject({ code: 1, hits: 0 })
    expect(await folder.list('summaries')).toEqual(before)
  })

  it('is collected from a batch once and not sent again', async () => {
    const folder = await createCountedFolder({ ...documents, 'docs/more.md': '# More\n\nMore text.\n' })
    folder.behave = (text) => (text.includes('# Bad') ? { ...answer, stopReason: 'refusal' } : answer)
    const run = () => folder.run(['summarize', 'docs', '--batch'])
    expect((await run()).code).toBe(1)
    const { created } = folder.simulator.stats().batches
    expect(await run()).toMatchObject({ code: 1, hits: 0 })
    expect(folder.simulator.stats().batches.created).toBe(created)
  })

  it.each<[string, Behaviour]>([
    ['a 400', { kind: 'status', status: 400, message: 'messages: no' }],
    ['a 422', { kind: 'status', status: 422 }],
    ['a 529', { kind: 'status', status: 529 }],
  ])('does not include errors that cost nothing, which are sent again: %s', async (_name, behaviour) => {
    const folder = await createCountedFolder(documents)
    folder.behave = (text) => (text.includes('# Bad') ? behaviour : answer)
    const run = () => folder.run(['summarize', 'docs', '--retries', '0'])
    await run()
    expect((await run()).hits).toBe(1)
    folder.behave = () => answer
    expect(await run()).toMatchObject({ code: 0, hits: 1 })
  })
})
