import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCountedFolder } from '../../support/counted-folder.ts'

const documents = {
  'docs/a.md': '# Ferry\n\nThe ferry sails at nine.\n',
  'docs/b.md': '# Tide\n\nThe tide is high at ten o’clock.\n',
  'docs/c.md': '# Harbour\n\nThe harbour closes at eleven, and the lights go out.\n',
}
const summaryOf = (name: string) => `summaries/docs/${name}.md.summary.md`
const withFrontMatter = ['summarize', 'docs', '--front-matter']

async function summarized(...flags: string[]) {
  const folder = await createCountedFolder(documents)
  expect(await folder.run(['summarize', 'docs', ...flags])).toMatchObject({ code: 0, hits: 3 })
  return Object.assign(folder, { at: (path: string) => join(folder.cwd, path) })
}

describe('--front-matter with summaries that have none', () => {
  it('adds the data of the run that made each summary, without a request', async () => {
    const { run, list, cwd } = await summarized()
    const before = await list('summaries')
    const costBefore = (await run(['report', '--format', 'json'])).stdout
    const { code, hits, stderr } = await run(withFrontMatter)
    expect([code, hits]).toEqual([0, 0])
    expect(stderr).toContain('claude-batch: front matter was added to 3 summaries')
    const after = await list('summaries')
    const lines = (await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8')).split('\n')
    for (const name of ['a', 'b', 'c']) {
      const text = after[summaryOf(name)] ?? ''
      const entry = lines
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
        .find(({ type, path }) => type === 'document' && path === `docs/${name}.md`)
      expect(text).toContain(`source: "docs/${name}.md"\nsha256: "${entry.sha256}"\n`)
      expect(text).toContain(`date: "${entry.ended_at}"\n`)
      expect(text).toContain(
        `\noutput_tokens: ${entry.usage.output_tokens}\ncost_usd: ${entry.cost_usd}\n---\n\n`,
      )
      expect(text.slice(text.indexOf('---\n\n') + 5)).toBe(before[summaryOf(name)])
    }
    const { totals } = JSON.parse((await run(['report', '--format', 'json'])).stdout)
    expect(totals).toEqual(JSON.parse(costBefore).totals)
  })

  it('does so once, and a run without the flag keeps it', async () => {
    const { run, list } = await summarized()
    await run(withFrontMatter)
    const after = await list('summaries')
    for (const args of [withFrontMatter, ['summarize', 'docs']]) {
      const { code, hits, stderr } = await run(args)
      expect([code, hits]).toEqual([0, 0])
      expect(stderr).toContain('3 unchanged')
      expect(stderr).not.toContain('was added')
      expect(await list('summaries')).toEqual(after)
    }
    expect((await run(['report'])).stdout).toContain('3 documents with a summary, 0 failing, 0 stale')
  })

  it('leaves alone what was edited or deleted', async () => {
    const { run, list, at } = await summarized()
    await appendFile(at(summaryOf('a')), 'My remark.\n')
    await rm(at(summaryOf('b')))
    const edited = await readFile(at(summaryOf('a')), 'utf8')
    const { hits, stderr } = await run(withFrontMatter)
    // The deleted summary is requested again, as in any run.
    expect(hits).toBe(1)
    expect(stderr).toContain('front matter was added to 1 summary')
    const after = await list('summaries')
    expect(after[summaryOf('a')]).toBe(edited)
    expect(after[summaryOf('b')]).toMatch(/^---\nsource: /)
  })

  it('leaves JSON alone', async () => {
    const schema = {
      type: 'object',
      properties: { topic: { type: 'string' } },
      required: ['topic'],
      additionalProperties: false,
    }
    const folder = await createCountedFolder({ ...documents, 'topic.json': JSON.stringify(schema) })
    await folder.run(['summarize', 'docs', '--schema', 'topic.json'])
    const before = await folder.list('summaries')
    expect(Object.keys(before)).toContain('summaries/docs/a.md.summary.json')
    await folder.run(withFrontMatter)
    expect(await folder.list('summaries')).toEqual(before)
  })

  it('rewrites nothing that an older version wrote with front matter, but records it', async () => {
    const { run, list, at } = await summarized('--front-matter')
    const ledger = at('summaries/.claude-batch/ledger.jsonl')
    const before = await list('summaries')
    await writeFile(ledger, (await readFile(ledger, 'utf8')).replaceAll(',"front_matter":true', ''))
    const { hits, stderr } = await run(withFrontMatter)
    expect(hits).toBe(0)
    expect(stderr).not.toContain('was added')
    expect(await list('summaries')).toEqual(before)
    expect((await readFile(ledger, 'utf8')).match(/"front_matter":true/g)).toHaveLength(3)
  })

  it('keeps a summary from which the user removed the front matter', async () => {
    const { run, list, at } = await summarized('--front-matter')
    const text = await readFile(at(summaryOf('a')), 'utf8')
    await writeFile(at(summaryOf('a')), text.slice(text.indexOf('---\n\n') + 5))
    const before = await list('summaries')
    const { hits, stderr } = await run(withFrontMatter)
    expect(hits).toBe(0)
    expect(stderr).not.toContain('was added')
    expect(await list('summaries')).toEqual(before)
  })

  it('recognizes front matter that a killed run wrote and did not record', async () => {
    const { run, list, at } = await summarized()
    const ledger = await readFile(at('summaries/.claude-batch/ledger.jsonl'))
    await run(withFrontMatter)
    const after = await list('summaries')
    await writeFile(at('summaries/.claude-batch/ledger.jsonl'), ledger)
    expect(await run(withFrontMatter)).toMatchObject({ code: 0, hits: 0 })
    expect(await list('summaries')).toEqual(after)
    const { stderr } = await run(['summarize', 'docs'])
    expect(stderr).toContain('3 unchanged')
  })

  it('keeps an error record and retries its document', async () => {
    const folder = await summarized()
    const { run, list, at } = folder
    folder.behave = () => ({ kind: 'status', status: 400 })
    await writeFile(at('docs/a.md'), '# Ferry\n\nThe ferry sails at noon from now on.\n')
    expect((await run(['summarize', 'docs'])).code).toBe(1)
    await run(withFrontMatter)
    expect(Object.keys(await list('summaries'))).toContain('summaries/docs/a.md.error.txt')
  })

  it('is recorded so that compaction keeps it', async () => {
    const { run, list, at } = await summarized()
    await run(withFrontMatter)
    // A damaged line makes the next run compact the ledger.
    await appendFile(at('summaries/.claude-batch/ledger.jsonl'), 'garbage\n')
    await run(['summarize', 'docs'])
    await appendFile(at('summaries/.claude-batch/ledger.jsonl'), 'garbage\n')
    const before = await list('summaries')
    const { hits, stderr } = await run(withFrontMatter)
    expect(hits).toBe(0)
    expect(stderr).toContain('3 unchanged')
    expect(stderr).not.toContain('was added')
    expect(await list('summaries')).toEqual(before)
    const ledger = await readFile(at('summaries/.claude-batch/ledger.jsonl'), 'utf8')
    expect(ledger.match(/"front_matter":true/g)).toHaveLength(3)
  })

  it('leaves real summaries alone in a simulated run', async () => {
    const { run, list } = await summarized()
    const before = await list('summaries')
    await run([...withFrontMatter, '--simulate'])
    expect(await list('summaries')).toEqual(before)
  })
})
