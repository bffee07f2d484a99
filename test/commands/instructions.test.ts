import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createCountedFolder } from '../support/counted-folder.ts'

const documents = {
  'docs/a.md': '# Lease\n\nThe tenant pays on the first day of the month.\n',
  'docs/b.md': '# Sale\n\nThe buyer inspects the boat before 4 May.\n',
}
const summarize = ['summarize', 'docs']

async function setting(files: Record<string, string> = {}) {
  const folder = await createCountedFolder({ ...documents, ...files })
  const asked: string[] = []
  folder.behave = (text) => {
    asked.push(text)
    return { kind: 'answer', delayMs: 1 }
  }
  const at = (path: string) => join(folder.cwd, path)
  return { ...folder, asked, at }
}

describe('--instructions', () => {
  it('asks about each document with the text, after the document', async () => {
    const { run, asked } = await setting()
    const { code, stderr } = await run([...summarize, '--instructions', 'List the duties.\nOne per line.'])
    expect(code).toBe(0)
    expect(asked).toHaveLength(2)
    for (const text of asked)
      expect(text).toMatch(
        /<\/document-\w+>\n\nYour instructions for this document: List the duties\.\nOne per line\./,
      )
    expect(stderr).toMatch(
      /^prompt +instructions@v1 \(latest, shipped: “List the duties\. One per line\.”\), claude-haiku-5-5$/m,
    )
  })

  it('sends braces and placeholders in it as they are', async () => {
    const { run, asked } = await setting()
    await run([...summarize, '--instructions', 'Answer as {"duty": "…"}, not {text} or {path}.'])
    expect(asked[0]).toContain('Answer as {"duty": "…"}, not {text} or {path}.')
  })

  it('reads them from a file', async () => {
    const { run, asked } = await setting({ 'brief.txt': '\ufeffList the dates.\n\n' })
    await run([...summarize, '--instructions', '@brief.txt'])
    expect(asked[0]).toContain('Your instructions for this document: List the dates.\n')
  })

  it('is a setting: the same text asks for nothing, another text for what the user agrees to', async () => {
    const { run } = await setting({ 'brief.txt': 'List the dates.' })
    const again = [...summarize, '--instructions', '@brief.txt']
    expect((await run(again)).hits).toBe(2)
    expect((await run([...summarize, '--instructions', 'List the dates.'])).hits).toBe(0)
    const other = [...summarize, '--instructions', 'List the names.']
    const kept = await run(other)
    expect([kept.code, kept.hits]).toEqual([0, 0])
    expect(kept.stderr).toContain('--redo settings')
    expect((await run([...other, '--redo', 'settings'])).hits).toBe(2)
  })

  it('is shown in the reports of the run', async () => {
    const { run, at } = await setting()
    await run([...summarize, '--instructions', 'List <the> duties.', '--report', 'report.html'])
    expect(await readFile(at('report.html'), 'utf8')).toContain('“List &#60;the&#62; duties.”')
    for (const args of [
      ['report'],
      ['report', '--run', 'last'],
      ['report', '--run', 'last', '--format', 'md'],
    ])
      expect((await run(args)).stdout).toMatch(/“List .*the.* duties\.”/)
    const { runs } = JSON.parse((await run(['report', '--format', 'json'])).stdout)
    expect(runs[0]).toMatchObject({ prompt: 'instructions@v1', instructions: 'List <the> duties.' })
  })

  it('fills in {instructions} in a prompt of the user', async () => {
    const mine = 'versions:\n  v1:\n    user_template: "Read {text} and {instructions}!"\n'
    const { run, asked, at } = await setting({ 'prompts/mine.yaml': mine })
    const args = [...summarize, '--prompt', 'mine', '--instructions', 'count the ships']
    expect((await run(args)).code).toBe(0)
    expect(asked[0]).toContain('and count the ships!')
    await writeFile(at('prompts/mine.yaml'), mine.replace('{instructions}', 'stop'))
    const { code, stderr } = await run(args)
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('--instructions: prompts/mine.yaml v1 has no placeholder {instructions}'),
    ])
  })

  it('comes from a configuration file, and does not shape the digest', async () => {
    const { run, asked } = await setting({ 'claude-batch.yaml': 'instructions: List the duties.\n' })
    expect((await run([...summarize, '--digest', 'all.md'])).code).toBe(0)
    expect(asked.filter((text) => text.includes('List the duties.'))).toHaveLength(2)
    expect(asked).toHaveLength(3)
  })

  it.each([
    ['', 'expected a text'],
    ['  ', 'expected a text'],
    ['@missing.txt', '--instructions @missing.txt: no such file'],
    ['@docs', '--instructions @docs: '],
    ['@latin1.txt', '--instructions @latin1.txt: not UTF-8'],
    ['@empty.txt', '--instructions @empty.txt: there is no text'],
  ])('is refused as %o', async (value, message) => {
    const { run, at } = await setting({ 'empty.txt': '\n' })
    await writeFile(at('latin1.txt'), Buffer.from([0x63, 0x61, 0x66, 0xe9]))
    const { code, stderr, hits } = await run([...summarize, '--instructions', value])
    expect([code, hits, stderr]).toEqual([2, 0, expect.stringContaining(message)])
  })
})
