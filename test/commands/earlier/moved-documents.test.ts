import { appendFile, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCountedFolder } from '../../support/counted-folder.ts'

// Their sizes differ, because they may be written within one tick of the file system's clock.
const documents = Object.fromEntries(
  ['a', 'bb', 'ccc'].map((word) => [
    `docs/${word[0]}.md`,
    `# Note ${word}\n\nThe ferry ${word} sails at nine.\n`,
  ]),
)
const summaryOf = (name: string) => `summaries/docs/${name}.md.summary.md`
const summarize = ['summarize', 'docs']

async function summarized(files: Record<string, string> = documents, ...flags: string[]) {
  const folder = await createCountedFolder(files)
  const { cwd, run } = folder
  expect((await run([...summarize, ...flags])).code).toBe(0)
  const at = (path: string) => join(cwd, path)
  return { ...folder, folder, at, move: (from: string, to: string) => rename(at(from), at(to)) }
}

describe('a document that was moved', () => {
  it('takes its summary along without a request, and leaves nothing behind', async () => {
    const { run, list, move, at } = await summarized()
    const before = await list('summaries')
    await mkdir(at('docs/deep'))
    await move('docs/a.md', 'docs/deep/z.md')
    const { code, hits, stderr } = await run(summarize)
    expect([code, hits]).toEqual([0, 0])
    expect(stderr).toMatch(/^reused +1: same content as another document, so nothing was sent$/m)
    const after = await list('summaries')
    expect(Object.keys(after).sort()).toEqual([summaryOf('b'), summaryOf('c'), summaryOf('deep/z')])
    expect(after[summaryOf('deep/z')]).toBe(before[summaryOf('a')])
    expect((await run(['report'])).stdout).toContain('3 documents with a summary, 0 failing, 0 stale')
    expect(await run(summarize)).toMatchObject({
      code: 0,
      hits: 0,
      stderr: expect.stringContaining('3 unchanged'),
    })
  })

  it('gets front matter with its new path', async () => {
    const { run, list, move } = await summarized(documents, '--front-matter')
    const before = (await list('summaries'))[summaryOf('a')] ?? ''
    await move('docs/a.md', 'docs/z.md')
    expect(await run([...summarize, '--front-matter'])).toMatchObject({ code: 0, hits: 0 })
    const after = (await list('summaries'))[summaryOf('z')] ?? ''
    expect(after).toMatch(/^---\nsource: "docs\/z\.md"\n/)
    expect(after.split('---\n\n')[1]).toBe(before.split('---\n\n')[1])
    expect(Object.keys(await list('summaries'))).not.toContain(summaryOf('a'))
  })

  it('is found again if a whole folder was renamed, or renamed back', async () => {
    const { run, list, move } = await summarized()
    const before = await list('summaries')
    await move('docs', 'texts')
    expect(await run(['summarize', 'texts'])).toMatchObject({ code: 0, hits: 0 })
    expect(Object.keys(await list('summaries')).every((path) => path.startsWith('summaries/texts/'))).toBe(
      true,
    )
    await move('texts', 'docs')
    expect(await run(summarize)).toMatchObject({ code: 0, hits: 0 })
    expect(await list('summaries')).toEqual(before)
  })

  it('is found again after several documents were renumbered, or two were exchanged', async () => {
    const { run, list, move } = await summarized()
    const before = await list('summaries')
    await move('docs/c.md', 'docs/d.md')
    await move('docs/b.md', 'docs/c.md')
    await move('docs/a.md', 'docs/b.md')
    expect(await run([...summarize, '--concurrency', '1'])).toMatchObject({ code: 0, hits: 0 })
    const after = await list('summaries')
    expect([after[summaryOf('b')], after[summaryOf('c')], after[summaryOf('d')]]).toEqual([
      before[summaryOf('a')],
      before[summaryOf('b')],
      before[summaryOf('c')],
    ])
    await move('docs/b.md', 'docs/x')
    await move('docs/c.md', 'docs/b.md')
    await move('docs/x', 'docs/c.md')
    expect(await run([...summarize, '--concurrency', '1'])).toMatchObject({ code: 0, hits: 0 })
    const swapped = await list('summaries')
    expect([swapped[summaryOf('b')], swapped[summaryOf('c')]]).toEqual([
      before[summaryOf('b')],
      before[summaryOf('a')],
    ])
  })

  it('is sent if its summary was edited by hand, which is kept', async () => {
    const { run, list, move, at } = await summarized()
    await appendFile(at(summaryOf('a')), 'My own word.\n')
    await move('docs/a.md', 'docs/z.md')
    expect(await run(summarize)).toMatchObject({ code: 0, hits: 1 })
    expect((await list('summaries'))[summaryOf('a')]).toContain('My own word.')
  })

  it.each(['{path}', '{name}'])('is sent if the prompt has %s', async (placeholder) => {
    const prompt = `versions:\n  v1:\n    user_template: "${placeholder}: {text}"\n`
    const { run, move } = await summarized({ ...documents, 'prompts/own.yaml': prompt }, '--prompt', 'own')
    await move('docs/a.md', 'docs/z.md')
    expect(await run([...summarize, '--prompt', 'own'])).toMatchObject({ code: 0, hits: 1 })
  })

  it('is sent if the settings changed, or with --redo all', async () => {
    const { run, move } = await summarized()
    await move('docs/a.md', 'docs/z.md')
    expect(await run([...summarize, '--model', 'sonnet'])).toMatchObject({ code: 0, hits: 1 })
    await move('docs/z.md', 'docs/y.md')
    expect(await run([...summarize, '--model', 'sonnet', '--redo', 'all'])).toMatchObject({
      code: 0,
      hits: 3,
    })
  })

  it('keeps a summary that the user moved along, in the output folder or next to the documents', async () => {
    for (const [flags, suffix] of [
      [[], 'summaries/docs'],
      [['--out', '.'], 'docs'],
      [['--out', '.', '--front-matter'], 'docs'],
    ] as const) {
      const { run, list, move } = await summarized(documents, ...flags)
      await move('docs/a.md', 'docs/z.md')
      await move(`${suffix}/a.md.summary.md`, `${suffix}/z.md.summary.md`)
      const { code, hits, stderr } = await run([...summarize, ...flags])
      expect([code, hits, stderr]).toEqual([0, 0, expect.stringMatching(/^reused +1/m)])
      const after = await list(suffix)
      expect(Object.keys(after)).not.toContain(`${suffix}/a.md.summary.md`)
      if (flags.length === 3) expect(after['docs/z.md.summary.md']).toContain('source: "docs/z.md"')
      expect(await run([...summarize, ...flags])).toMatchObject({ code: 0, hits: 0 })
    }
  })

  it('does not overwrite another file at its new place', async () => {
    const { run, list, move, at } = await summarized()
    await writeFile(at(summaryOf('z')), 'My own file.\n')
    await move('docs/a.md', 'docs/z.md')
    const { code, hits } = await run(summarize)
    expect([code, hits]).toEqual([1, 0])
    const after = await list('summaries')
    expect(after[summaryOf('z')]).toBe('My own file.\n')
    expect(after[summaryOf('a')]).toBeDefined()
  })

  it('is not in the cost of a dry run', async () => {
    const { run, move } = await summarized()
    await move('docs/a.md', 'docs/z.md')
    const { code, stdout } = await run([...summarize, '--dry-run'])
    expect([code, stdout]).toEqual([0, expect.stringMatching(/1 reused/)])
  })

  it('takes its summary along although a copy of it exists', async () => {
    const { run, list, move, at } = await summarized()
    await copyFile(at('docs/a.md'), at('docs/y.md'))
    await run(summarize)
    await move('docs/a.md', 'docs/z.md')
    expect(await run(summarize)).toMatchObject({ code: 0, hits: 0 })
    const names = ['b', 'c', 'y', 'z']
    expect(Object.keys(await list('summaries')).sort()).toEqual(names.map(summaryOf))
  })

  it('takes its summary along together with its copies if a folder was renamed', async () => {
    const text = '# Note\n\nThe ferry sails at nine.\n'
    const { run, list, move } = await summarized({ 'docs/a.md': text, 'docs/b.md': text, 'docs/c.md': text })
    await move('docs', 'texts')
    expect(await run(['summarize', 'texts'])).toMatchObject({ code: 0, hits: 0 })
    expect(Object.keys(await list('summaries')).map((path) => path.slice(0, 15))).toEqual(
      Array(3).fill('summaries/texts'),
    )
  })

  it('takes a structured summary along', async () => {
    const schema = JSON.stringify({
      type: 'object',
      properties: { title: { type: 'string' } },
      required: ['title'],
      additionalProperties: false,
    })
    const folder = await createCountedFolder({ ...documents, 's.json': schema })
    folder.behave = () => ({ kind: 'answer', delayMs: 1, text: '{"title":"Ferry"}' })
    const args = [...summarize, '--schema', 's.json']
    await folder.run(args)
    await rename(join(folder.cwd, 'docs/a.md'), join(folder.cwd, 'docs/z.md'))
    expect(await folder.run(args)).toMatchObject({ code: 0, hits: 0 })
    expect(JSON.parse((await folder.list())['summaries/docs/z.md.summary.json'] ?? '')).toEqual({
      title: 'Ferry',
    })
  })
})

describe('a document that was copied', () => {
  it('gets a copy of the summary without a request, and the ledger says whose it is', async () => {
    const { run, list, at } = await summarized()
    await copyFile(at('docs/a.md'), at('docs/z.md'))
    expect(await run(summarize)).toMatchObject({ code: 0, hits: 0 })
    const after = await list('summaries')
    expect(after[summaryOf('z')]).toBe(after[summaryOf('a')])
    const ledger = await readFile(at('summaries/.claude-batch/ledger.jsonl'), 'utf8')
    const [entry] = ledger
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .filter(({ path, type }) => type === 'document' && path === 'docs/z.md')
    expect(entry).toMatchObject({ status: 'summarized', reused_from: 'docs/a.md', cost_usd: 0, attempts: 0 })
    expect((await run(['report', '--format', 'json'])).code).toBe(0)
  })

  it('gets the summary of any document with its content', async () => {
    for (const change of [(file: string) => appendFile(file, 'My own word.\n'), (file: string) => rm(file)]) {
      const { run, at } = await summarized()
      await copyFile(at('docs/a.md'), at('docs/y.md'))
      await run(summarize)
      await change(at(summaryOf('y')))
      await rm(at('docs/y.md'))
      await copyFile(at('docs/a.md'), at('docs/z.md'))
      expect(await run(summarize)).toMatchObject({ code: 0, hits: 0 })
    }
  })

  it('keeps its summary when the first document is deleted and pruned', async () => {
    const { run, list, at } = await summarized()
    await copyFile(at('docs/a.md'), at('docs/z.md'))
    await run(summarize)
    await rm(at('docs/a.md'))
    await run(['report', '--prune'])
    expect(Object.keys(await list('summaries'))).toContain(summaryOf('z'))
  })

  it('is sent again with --redo flagged if the summary was flagged', async () => {
    const text =
      'The ferry sails at nine and the harbour is closed in May, as the board of the town said. '.repeat(9)
    const folder = await createCountedFolder({ 'docs/a.md': text })
    // A near-copy of the document.
    folder.behave = () => ({ kind: 'answer', delayMs: 1, text })
    expect((await folder.run(summarize)).stderr).toMatch(/^flagged/m)
    await copyFile(join(folder.cwd, 'docs/a.md'), join(folder.cwd, 'docs/z.md'))
    const copied = await folder.run(summarize)
    expect([copied.hits, copied.stderr]).toEqual([0, expect.stringMatching(/^flagged/m)])
    expect((await folder.run([...summarize, '--redo', 'flagged'])).hits).toBe(1)
  })
})
