import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../../src/simulator/script.ts'
import { createCountedFolder } from '../../support/counted-folder.ts'

const text = '# Note\n\nThe ferry sails at nine.\n'
const names = Array.from({ length: 12 }, (_, n) => `docs/${n}.md`)
const same = Object.fromEntries(names.map((name) => [name, text]))
const answer: Behaviour = { kind: 'answer', delayMs: 20 }
const summarize = ['summarize', 'docs']
const dayMs = 86_400_000

describe('documents with the same content', () => {
  it.each([
    ['12 in flight', ['--concurrency', '12']],
    ['one in flight', ['--concurrency', '1']],
  ])('are sent once, and all get the summary: %s', async (_name, flags) => {
    const folder = await createCountedFolder(same)
    folder.behave = () => answer
    const { code, hits, stderr } = await folder.run([...summarize, ...flags])
    expect([code, hits]).toEqual([0, 1])
    expect(stderr).toContain('12: 12 summarized')
    expect(stderr).toMatch(/^reused +11: /m)
    const summaries = Object.values(await folder.list('summaries'))
    expect(summaries).toHaveLength(12)
    expect(new Set(summaries).size).toBe(1)
    expect(await folder.run(summarize)).toMatchObject({ code: 0, hits: 0 })
  })

  it('are sent once for stdout, in input order and as they finish', async () => {
    for (const flags of [[], ['--unordered'], ['--concurrency', '1']]) {
      const folder = await createCountedFolder(same)
      folder.behave = () => answer
      const { code, hits, stdout } = await folder.run([
        ...summarize,
        '-o',
        '-',
        '--format',
        'jsonl',
        ...flags,
      ])
      expect([code, hits]).toEqual([0, 1])
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
      expect(new Set(lines.map(({ path }) => path)).size).toBe(12)
      expect(new Set(lines.map(({ summary }) => summary)).size).toBe(1)
    }
  })

  it('are sent once in a batch', async () => {
    const folder = await createCountedFolder(same)
    const { code } = await folder.run([...summarize, '--batch'])
    expect(code).toBe(0)
    const { requests, batches } = folder.simulator.stats()
    expect(requests + batches.requests).toBe(1)
    expect(Object.keys(await folder.list('summaries'))).toHaveLength(12)
  })

  it('are sent once in a batch that a later run collects', async () => {
    const others = { 'docs/x.md': '# X\n\nAnother text.\n', 'docs/y.md': '# Y\n\nYet another text.\n' }
    const folder = await createCountedFolder(others)
    // No canary request later.
    await folder.run([...summarize, '--batch'])
    for (const name of names) await writeFile(`${folder.cwd}/${name}`, text)
    const before = folder.simulator.stats().batches.requests
    const first = await folder.run([...summarize, '--batch', '--detach'])
    expect(first).toMatchObject({ code: 0, hits: 0 })
    expect(folder.simulator.stats().batches.requests - before).toBe(1)
    const second = await folder.run(summarize)
    expect([second.code, second.hits, second.stderr]).toEqual([0, 0, expect.stringContaining('summarized')])
    expect(Object.keys(await folder.list('summaries'))).toHaveLength(14)
  })

  it('share a failure that would repeat, which is paid once', async () => {
    const folder = await createCountedFolder(same)
    folder.behave = () => ({ ...answer, stopReason: 'refusal' })
    const { code, hits } = await folder.run(summarize)
    expect([code, hits]).toEqual([1, 1])
    expect(Object.keys(await folder.list('summaries'))).toHaveLength(12)
    expect(await folder.run(summarize)).toMatchObject({ code: 1, hits: 0 })
  })

  it('are sent one after the other until one gets a reply', async () => {
    const folder = await createCountedFolder(same)
    let count = 0
    folder.behave = () => (++count <= 2 ? { kind: 'status', status: 529 } : answer)
    const { code, stderr } = await folder.run([...summarize, '--retries', '0'])
    expect([code, count]).toEqual([75, 3])
    expect(stderr).toContain('10 summarized')
    expect(await folder.run(summarize)).toMatchObject({ code: 0, hits: 0 })
  })

  it.each([
    ['a file of the user', 1, async (file: string) => writeFile(file, 'My own file.\n')],
    ['a summary that was edited by hand', 0, async (file: string) => appendFile(file, 'My own file.\n')],
  ])('do not overwrite %s', async (_name, code, change) => {
    const folder = await createCountedFolder({ 'docs/0.md': text, 'docs/1.md': `${text}More.\n` })
    folder.behave = () => answer
    const mine = 'summaries/docs/1.md.summary.md'
    if (code === 0) await folder.run(summarize)
    else await mkdir(join(folder.cwd, 'summaries/docs'), { recursive: true })
    await change(join(folder.cwd, mine))
    for (const name of ['docs/0.md', 'docs/1.md']) await writeFile(join(folder.cwd, name), `${text}Most.\n`)
    expect(await folder.run(summarize)).toMatchObject({ code: 1, hits: 1 })
    expect((await folder.list('summaries'))[mine]).toContain('My own file.')
  })

  it('are not sent live while one of them is in a batch', async () => {
    const folder = await createCountedFolder({ 'docs/x.md': '# X\n\nAnother text.\n' }, dayMs)
    await folder.run(summarize)
    await writeFile(join(folder.cwd, 'docs/y.md'), text)
    await folder.run([...summarize, '--batch', '--detach'])
    await rename(join(folder.cwd, 'docs/y.md'), join(folder.cwd, 'docs/z.md'))
    expect((await folder.run([...summarize, '--dry-run'])).stdout).toMatch(/0 to summarize.*1 reused/s)
    for (const flags of [[], ['--batch', '--detach'], ['--sample', '2', '--yes']]) {
      const { code, hits, stderr } = await folder.run([...summarize, ...flags])
      expect([code, hits, stderr]).toEqual([
        flags.includes('--detach') ? 0 : 75,
        0,
        expect.stringContaining('1 pending'),
      ])
    }
    expect(folder.simulator.stats().batches.requests).toBe(1)
  })

  it('share a failure that would repeat in a batch', async () => {
    const folder = await createCountedFolder({ 'docs/x.md': '# X\n\nAnother text.\n' })
    await folder.run(summarize)
    folder.behave = () => ({ ...answer, stopReason: 'refusal' })
    for (const name of names) await writeFile(join(folder.cwd, name), text)
    expect(await folder.run([...summarize, '--batch'])).toMatchObject({ code: 1, hits: 0 })
    expect(folder.simulator.stats().batches.requests).toBe(1)
    expect(await folder.run(summarize)).toMatchObject({ code: 1, hits: 0 })
  })

  it('are sent once each if the prompt has {path}', async () => {
    const prompt = 'versions:\n  v1:\n    user_template: "{path}: {text}"\n'
    const folder = await createCountedFolder({ ...same, 'prompts/own.yaml': prompt })
    expect(await folder.run([...summarize, '--prompt', 'own'])).toMatchObject({ code: 0, hits: 12 })
  })

  it('count once in the cost of a dry run', async () => {
    const folder = await createCountedFolder(same)
    const { stdout } = await folder.run([...summarize, '--dry-run'])
    expect(stdout).toMatch(/11 reused/)
    const one = await createCountedFolder({ 'docs/0.md': text })
    const costOf = (out: string) => /\$[\d.]+/.exec(out)?.[0]
    expect(costOf(stdout)).toBe(costOf((await one.run([...summarize, '--dry-run'])).stdout))
  })
})
