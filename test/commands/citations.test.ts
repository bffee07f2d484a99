import { copyFile, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createCountedFolder } from '../support/counted-folder.ts'
import { createPdf, show } from '../support/pdf.ts'
import { startRecordingServer } from '../support/recording-server.ts'
import { createFolder, runCli } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const lease = '# Lease\n\n🚢 The tenant pays on the first day of the month. The landlord repairs the pier.\n'
const documents = { 'docs/lease.md': lease }
const summarize = ['summarize', 'docs', '--citations']
const answer = (fields: object = {}): Behaviour => ({ kind: 'answer', delayMs: 1, ...fields })
const pays = 'The tenant pays on the first day of the month.'
const repairs = 'The landlord repairs the pier.'

interface Line {
  readonly summary: string
  readonly quality_issues?: readonly string[]
  readonly citations: readonly {
    readonly start: number
    readonly end: number
    readonly quote: string
    readonly verified: boolean
    readonly document_start?: number
    readonly document_end?: number
    readonly place?: string
  }[]
}

async function setting(files: Record<string, string | Buffer> = documents) {
  const folder = await createCountedFolder(files)
  folder.behave = () => answer({ text: `${pays} ${repairs}` })
  const read = (path: string) => readFile(join(folder.cwd, path), 'utf8')
  return { ...folder, folder, read }
}

describe('--citations', () => {
  it('writes footnotes with the place and the words of each passage', async () => {
    const { run, read } = await setting()
    const { code, stderr } = await run(summarize)
    expect(code).toBe(0)
    expect(stderr).not.toContain('uncited')
    expect(await read('summaries/docs/lease.md.summary.md')).toBe(
      `${pays.slice(0, -1)} [1]. ${repairs.slice(0, -1)} [2].\n\n[1] section Lease, line 3: "${pays}"\n[2] section Lease, line 3: "${repairs}"\n`,
    )
    const [entry] = (await read('summaries/.claude-batch/ledger.jsonl'))
      .split('\n')
      .filter((line) => line.includes('"document"'))
    expect((JSON.parse(entry ?? '{}') as Line).citations).toHaveLength(2)
  })

  it('gives JSONL the passages, and the plain text of the summary', async () => {
    const { run } = await setting()
    const { stdout } = await run([...summarize, '-o', '-', '--format', 'jsonl'])
    const { summary, citations, quality_issues } = JSON.parse(stdout) as Line
    expect(summary).toBe(`${pays} ${repairs}`)
    expect(quality_issues).toBeUndefined()
    for (const { start, end, quote, verified, document_start, document_end } of citations) {
      expect(verified).toBe(true)
      expect(summary.slice(start, end)).toBe(quote)
      expect(lease.slice(document_start, document_end)).toBe(quote)
    }
    expect(citations.map(({ quote }) => quote)).toEqual([pays, repairs])
  })

  it('exports the same fields from the ledger, and an edited summary unchanged', async () => {
    const { run, cwd, read } = await setting({ ...documents, 'docs/copy.md': lease })
    const { stdout } = await run([...summarize, '-o', '-', '--format', 'jsonl'])
    const pick = (lines: string) =>
      lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line & { path: string })
        .map(({ path, summary, citations }) => ({ path, summary, citations }))
        .sort((a, b) => (a.path < b.path ? -1 : 1))
    await run(summarize)
    const exported = pick((await run(['export'])).stdout)
    expect(exported).toEqual(pick(stdout))
    const edited = `${await read('summaries/docs/lease.md.summary.md')}A note.\n`
    await writeFile(join(cwd, 'summaries/docs/lease.md.summary.md'), edited)
    const [copy, own] = pick((await run(['export'])).stdout)
    expect(copy).toEqual(exported[0])
    expect(own).toEqual({ path: 'docs/lease.md', summary: edited.trimEnd() })
  })

  it.each([
    ['as plain text', ['--no-footnotes'], `${pays} ${repairs}\n`],
    [
      'with footnotes',
      [],
      `${pays.slice(0, -1)} [1]. ${repairs.slice(0, -1)} [2].\n\n[1] section Lease, line 3: "${pays}"\n[2] section Lease, line 3: "${repairs}"\n`,
    ],
  ])('prints a summary on stdout %s', async (_, flags, expected) => {
    const { run } = await setting()
    expect((await run([...summarize, '-o', '-', ...flags])).stdout).toBe(expected)
  })

  it.each([
    ['shifted', 0],
    ['no_index', 0],
    ['absent', 1],
  ] as const)('does not trust indexes or quotes: %s', async (wrongCitations, flagged) => {
    const { run, folder, read } = await setting()
    folder.behave = () => answer({ text: `${pays} ${repairs}`, wrongCitations })
    const { stderr } = await run(summarize)
    const summary = await read('summaries/docs/lease.md.summary.md')
    expect(summary.includes('[1]')).toBe(flagged === 0)
    expect(/flagged +1 uncited: docs\/lease\.md/.test(stderr)).toBe(flagged === 1)
    expect(summary).not.toContain('And more.')
  })

  it('flags a summary with a statement without support, which --redo uncited makes again', async () => {
    const { run, folder, simulator } = await setting()
    folder.behave = () => answer({ text: `${pays} The pier was built in 1898.` })
    expect((await run(summarize)).stderr).toContain('flagged    1 uncited: docs/lease.md\n')
    folder.behave = () => answer({ text: pays })
    const { requests } = simulator.stats()
    expect((await run([...summarize, '--redo', 'uncited'])).stderr).not.toContain('uncited')
    expect(simulator.stats().requests).toBe(requests + 1)
  })

  it('keeps citations of a streamed reply, of a batch, and of a document that is there twice', async () => {
    const { run, read } = await setting({ ...documents, 'docs/copy.md': lease })
    const { code } = await run([...summarize, '--batch', '-o', 'batched'])
    expect(code).toBe(0)
    const text = await read('batched/docs/lease.md.summary.md')
    expect(text).toContain(`[2] section Lease, line 3: "${repairs}"`)
    expect(await read('batched/docs/copy.md.summary.md')).toBe(text)
    await run([...summarize, '--idle-timeout', '1', '-o', 'live'])
    expect(await read('live/docs/lease.md.summary.md')).toBe(text)
  })

  it.each([
    ['a copy', 'copy'],
    ['a document that was moved', 'move'],
  ])('keeps the citations for %s, which is not sent again', async (_, change) => {
    const { run, read, cwd, simulator } = await setting()
    await run(summarize)
    const before = await read('summaries/docs/lease.md.summary.md')
    await (change === 'copy' ? copyFile : rename)(join(cwd, 'docs/lease.md'), join(cwd, 'docs/other.md'))
    await run(summarize)
    expect(simulator.stats().requests).toBe(1)
    expect(await read('summaries/docs/other.md.summary.md')).toBe(before)
    const { stdout } = await run(['export', '--format', 'jsonl'])
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line & { readonly path: string })
    expect(lines.map(({ path }) => path)).toEqual(
      change === 'copy' ? ['docs/lease.md', 'docs/other.md'] : ['docs/other.md'],
    )
    for (const { summary, citations } of lines) {
      expect(summary).toBe(`${pays} ${repairs}`)
      expect(citations).toMatchObject([{ place: 'section Lease, line 3' }, {}])
    }
  })

  it('keeps the citations for a copy that is found after its original was written, also with front matter', async () => {
    const names = Array.from({ length: 8 }, (_, n) => `docs/${n}.md`)
    const files = Object.fromEntries(names.map((name, n) => [name, n % 2 === 0 ? lease : `${lease}\n${n}\n`]))
    const { run, read, simulator } = await setting(files)
    await run([...summarize, '--front-matter', '--concurrency', '1'])
    expect(simulator.stats().requests).toBe(5)
    for (const name of names)
      expect(await read(`summaries/${name}.summary.md`)).toMatch(
        /^---\nsource: [\s\S]*\n---\n\n[^[]* \[1\]\. [^[]* \[2\]\.\n\n\[1\] [^\n]*\n\[2\] [^\n]*\n$/,
      )
    const { stdout } = await run(['export', '--format', 'jsonl'])
    for (const line of stdout.trimEnd().split('\n'))
      expect((JSON.parse(line) as Line).citations).toHaveLength(2)
  })

  it('keeps citations of a batch that another command collects, of documents in the working directory', async () => {
    const other = (name: string) => `# ${name}\n\n${pays} ${repairs}\n`
    const { cwd, env, read } = await setting({
      'work/docs/a.md': lease,
      'work/docs/b.md': other('B'),
      'far/c.md': other('C'),
      'far/d.md': other('D'),
    })
    const run = (...args: string[]) => runInProcess(args, { cwd: join(cwd, 'work'), env, clockSpeed: 500 })
    await run('summarize', 'docs', '../far', '--citations', '--batch', '--detach')
    const { code, stderr } = await run('batches', 'collect')
    expect(code).toBe(0)
    // The canary request was about far/c.md.
    for (const [name, section] of [
      ['a', 'Lease'],
      ['b', 'B'],
    ])
      expect(await read(`work/summaries/docs/${name}.md.summary.md`)).toContain(
        `[1] section ${section}, line 3: "${pays}"`,
      )
    // A path to elsewhere in a batch file is not read.
    expect(stderr).toMatch(/flagged +1 uncited: .*far\/d\.md\n/)
  })

  it('shows no footnotes for a document that was edited while it was in a batch', async () => {
    const { run, cwd, read } = await setting({
      ...documents,
      'docs/other.md': '# Sale\n\nThe buyer pays the boat.\n',
    })
    await run([...summarize, '--batch', '--detach'])
    await writeFile(join(cwd, 'docs/lease.md'), '# Lease\n\nThere is no rent.\n')
    await writeFile(join(cwd, 'docs/other.md'), '# Sale\n\nThere is no boat.\n')
    const { stderr } = await run(['batches', 'collect'])
    expect(stderr).toContain('uncited')
    const summaries = [
      await read('summaries/docs/lease.md.summary.md'),
      await read('summaries/docs/other.md.summary.md'),
    ]
    // One was the canary request, which was answered before the edit.
    expect(summaries.filter((text) => text.includes('[1]')).length).toBe(1)
  })

  it('is shown with the document between the texts of its prompt', async () => {
    const { run } = await setting({
      ...documents,
      'prompts/cited.yaml':
        "versions:\n  v1:\n    citations: true\n    user_template: 'Read {name}: {text} Be brief.'\n",
    })
    const { stdout } = await run(['prompts', 'show', 'cited', '--file', 'docs/lease.md'])
    expect(stdout).toMatch(
      /^--- user\nRead lease\.md:\n\n--- document with citations\n# Lease\n[\s\S]*\n--- user\nBe brief\.\n\n--- about \d+ tokens in/,
    )
    expect((await run(['prompts', 'show', 'cited'])).stdout).toContain('citations: true\n')
  })

  it('names the document of each statement in a digest, whose summaries it gets without footnotes', async () => {
    const { run, folder, read, simulator } = await setting({
      ...documents,
      'docs/sale.md': '# Sale\n\nThe buyer inspects the boat.\n',
    })
    const asked: string[] = []
    folder.behave = (text) => {
      asked.push(text)
      const found = [pays, 'The buyer inspects the boat.'].filter((sentence) =>
        text.includes(sentence.slice(0, -1)),
      )
      return answer({ text: found.join(' ') })
    }
    const { code } = await run([...summarize, '--digest', 'digest.md'])
    expect(code).toBe(0)
    expect(asked.at(-1)).toContain(`${pays}\n`)
    expect(asked.at(-1)).not.toContain('[1]')
    expect(await read('digest.md')).toBe(
      'The tenant pays on the first day of the month [1]. The buyer inspects the boat [2].\n\n' +
        `[1] document docs/lease.md: "${pays}"\n` +
        '[2] document docs/sale.md: "The buyer inspects the boat."\n',
    )
    const { requests } = simulator.stats()
    await run([...summarize, '--digest', 'digest.md'])
    expect(simulator.stats().requests).toBe(requests)
  })

  it('is a setting of the request, and of a prompt file', async () => {
    const file = (fields: string) => `versions:\n  v1:\n    user_template: 'Sum up {text}'\n${fields}`
    const { run, simulator, read } = await setting({
      ...documents,
      'prompts/cited.yaml': file('    citations: true\n'),
    })
    await run(['summarize', 'docs'])
    expect(await read('summaries/docs/lease.md.summary.md')).not.toContain('[1]')
    const { requests } = simulator.stats()
    await run([...summarize, '--redo', 'settings'])
    expect(simulator.stats().requests).toBe(requests + 1)
    await run(['summarize', 'docs', '--prompt', 'cited', '-o', 'out'])
    expect(await read('out/docs/lease.md.summary.md')).toContain('[1]')
  })

  it.each([
    ['a schema', ['--schema', 's.json'], '--citations cannot be combined with a JSON schema'],
    ['{text} twice', ['--prompt', 'twice'], '--citations: twice@v1 has {text} 2 times'],
    ['a prompt with both', ['--prompt', 'both'], '`citations` of v1 cannot be combined with `schema`'],
    ['a value that is no boolean', ['--prompt', 'maybe'], '`citations` of v1 must be true or false'],
  ])('refuses %s before anything is sent', async (_, flags, message) => {
    const schema =
      '{ type: object, additionalProperties: false, required: [a], properties: { a: { type: string } } }'
    const version = (user: string, fields = '') => `versions:\n  v1:\n    user_template: '${user}'\n${fields}`
    const { run, simulator } = await setting({
      ...documents,
      's.json':
        '{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":{"type":"string"}}}',
      'prompts/twice.yaml': version('{text} and {text}'),
      'prompts/both.yaml': version('{text}', `    citations: true\n    schema: ${schema}\n`),
      'prompts/maybe.yaml': version('{text}', '    citations: perhaps\n'),
    })
    const { code, stderr } = await run([...summarize, ...flags])
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
    expect(simulator.stats().requests).toBe(0)
  })

  it('sends the document as a block between the texts of the prompt', async () => {
    const server = await startRecordingServer()
    const cwd = await createFolder({
      'a<b>.md': 'The text.',
      'prompts/cited.yaml':
        'versions:\n  v1:\n    system: Be brief.\n    user_template: |\n      Read this:\n\n      {text}\n\n      It is called {name}.\n',
    })
    await runCli(['summarize', 'a<b>.md', '--prompt', 'cited', '--citations', '-o', '-'], {
      cwd,
      env: server.env,
    })
    const [body] = server.bodies
    expect(body?.messages[0]?.content).toEqual([
      { type: 'text', text: 'Read this:' },
      {
        type: 'document',
        source: { type: 'text', media_type: 'text/plain', data: 'The text.' },
        citations: { enabled: true },
      },
      { type: 'text', text: 'It is called a b .md.\n' },
    ])
  })

  describe('of a long document', () => {
    const chapters = Array.from(
      { length: 6 },
      (_, n) =>
        `# Chapter ${n + 1}\n\n${`🚢 The tide number ${n + 1} turned at the old pier. `.repeat(60)}The lamp of tower ${n + 1} went out.\n`,
    )
    const book = chapters.join('\n')
    const chunked = [...summarize, '--chunk-tokens', '1000']
    /** Answers each chunk with the last sentence of its chapter, and notes with one sentence of each. */
    const answerChunks = (folder: Awaited<ReturnType<typeof setting>>['folder'], fields: object = {}) => {
      folder.behave = (text) => {
        const lamps = text.match(/The lamp of tower \d went out\./g) ?? ['The tide turned.']
        return answer({ text: [...new Set(lamps)].join(' '), ...fields })
      }
    }

    it('leads through the notes on its chunks to the place in the document', async () => {
      const { run, folder, read, simulator } = await setting({ 'docs/book.md': book })
      answerChunks(folder)
      const { stdout } = await run([...chunked, '--format', 'jsonl', '-o', '-'])
      const { summary, citations } = JSON.parse(stdout) as Line
      expect(citations.length).toBeGreaterThan(3)
      for (const { start, end, quote, verified, document_start, document_end, place } of citations) {
        expect(verified).toBe(true)
        expect(summary.slice(start, end)).toBe(quote)
        expect(book.slice(document_start, document_end)).toBe(quote)
        const [, tower = ''] = /tower (\d)/.exec(quote) ?? []
        expect(place).toContain(`Chapter ${tower}`)
      }
      const footnote = /\[1\] section Chapter 1, line \d+: "The lamp of tower 1 went out\."/
      await run(chunked)
      expect(await read('summaries/docs/book.md.summary.md')).toMatch(footnote)
      // The notes and their passages come from the chunk cache.
      const { requests } = simulator.stats()
      await run([...chunked, '--redo', 'all'])
      expect(simulator.stats().requests).toBe(requests + 1)
      expect(await read('summaries/docs/book.md.summary.md')).toMatch(footnote)
    })

    it.each(['absent', 'no_index', 'shifted'] as const)('shows nothing wrong: %s', async (wrongCitations) => {
      const { run, folder, read } = await setting({ 'docs/book.md': book })
      answerChunks(folder, { wrongCitations })
      const { stderr } = await run(chunked)
      const summary = await read('summaries/docs/book.md.summary.md')
      for (const [, chapter, tower] of summary.matchAll(
        /section Chapter (\d), line \d+: "The lamp of tower (\d)/g,
      ))
        expect(chapter).toBe(tower)
      expect(summary.includes('[1]')).toBe(wrongCitations !== 'absent')
      if (wrongCitations === 'absent') expect(stderr).toContain('uncited')
    })
  })

  describe('of a PDF that is uploaded', () => {
    const upload = ['summarize', 'docs', '--citations', '--pdf', 'native']
    const page = (n: number) =>
      show(`The tide number ${n} turned.`) + show('The ferry sailed at', 50, 680) + show('nine.', 50, 660)
    const pages = [1, 2, 3, 4, 5, 6].map((n) => ({ content: page(n) }))
    const pdf = (count: number) => ({ 'docs/log.pdf': createPdf(pages.slice(0, count)) })

    it('has the page of each passage, which is looked up in the text of the PDF', async () => {
      const { run, folder, read } = await setting(pdf(3))
      folder.behave = () => answer({ text: 'The tide number 3 turned. The ferry sailed at nine.' })
      expect((await run(upload)).stderr).not.toContain('uncited')
      expect(await read('summaries/docs/log.pdf.summary.md')).toBe(
        'The tide number 3 turned [1]. The ferry sailed at nine [2].\n\n' +
          '[1] page 3: "The tide number 3 turned."\n[2] page 1: "The ferry sailed at nine."\n',
      )
      const { stdout } = await run([...upload, '-o', '-', '--format', 'jsonl'])
      const { citations } = JSON.parse(stdout) as Line
      expect(citations).toMatchObject([{ verified: true, place: 'page 3' }, { place: 'page 1' }])
    })

    it.each([
      // A sentence that is there once is found on its page, even if another page was reported.
      ['shifted', /^The tide number 3 turned \[1\]\. The ferry sailed at nine\.\n\n\[1\] page 3: [^\n]*\n$/],
      ['no_index', /^The tide number 3 turned \[1\]\. The ferry sailed at nine\.\n\n\[1\] page 3: [^\n]*\n$/],
      ['absent', /^The tide number 3 turned\. The ferry sailed at nine\.\n$/],
    ] as const)('shows nothing wrong: %s', async (wrongCitations, expected) => {
      const { run, folder, read } = await setting(pdf(3))
      folder.behave = () =>
        answer({ text: 'The tide number 3 turned. The ferry sailed at nine.', wrongCitations })
      expect((await run(upload)).stderr).toContain('uncited')
      expect(await read('summaries/docs/log.pdf.summary.md')).toMatch(expected)
    })

    it('leads from its parts to the pages of the whole', async () => {
      const { run, folder, read, simulator } = await setting(pdf(6))
      const asked: (readonly string[] | undefined)[] = []
      folder.behave = (_, request) => {
        asked.push(request.citable?.pages)
        const [, sentence = ''] = /(The tide number \d turned\.)/.exec(request.citable?.text ?? '') ?? []
        return answer({ text: sentence })
      }
      await run([...upload, '--chunk-tokens', '6000'])
      expect(asked.slice(0, -1).map((part) => part?.length)).toEqual([2, 2, 2])
      expect(simulator.stats().requests).toBe(4)
      expect(await read('summaries/docs/log.pdf.summary.md')).toBe(
        'The tide number 1 turned [1].\n\n[1] page 1: "The tide number 1 turned."\n',
      )
      folder.behave = (_, { citable }) =>
        answer({ text: (citable?.text.match(/The tide number \d turned\./g) ?? []).join(' ') })
      await run([...upload, '--chunk-tokens', '6000', '--redo', 'all', '-o', 'again'])
      const summary = await read('again/docs/log.pdf.summary.md')
      for (const n of [1, 2, 3, 4, 5, 6])
        expect(summary).toContain(`page ${n}: "The tide number ${n} turned."`)
    })

    it('keeps citations in a batch, also if another command collects it as text', async () => {
      const { run, folder, read } = await setting({
        ...pdf(3),
        'docs/other.pdf': createPdf(pages.slice(2, 6)),
      })
      folder.behave = () => answer({ text: 'The tide number 3 turned.' })
      await run([...upload, '--batch', '--detach'])
      expect((await run(['batches', 'collect'])).stderr).not.toContain('uncited')
      const footnote = (page: number) => `[1] page ${page}: "The tide number 3 turned."`
      expect(await read('summaries/docs/log.pdf.summary.md')).toContain(footnote(3))
      expect(await read('summaries/docs/other.pdf.summary.md')).toContain(footnote(1))
    })

    it('sends the PDF with citations', async () => {
      const server = await startRecordingServer()
      const cwd = await createFolder(pdf(1))
      await runCli([...upload, '-o', '-', '--format', 'jsonl'], { cwd, env: server.env })
      const [body] = server.bodies
      expect(body?.messages[0]?.content).toEqual([
        {
          type: 'document',
          source: { type: 'base64', media_type: 'application/pdf', data: expect.any(String) },
          citations: { enabled: true },
        },
        { type: 'text', text: expect.stringContaining('The document is the PDF that is attached.') },
      ])
    })
  })

  it('is part of the estimate and of the cap', async () => {
    const { run } = await setting()
    const estimate = async (flags: string[]) => {
      const { stdout } = await run(['summarize', 'docs', '--dry-run', '--report', '-', ...flags])
      return (JSON.parse(stdout) as { input_tokens: { expected: number } }).input_tokens.expected
    }
    expect(await estimate(['--citations'])).toBeGreaterThan((await estimate([])) + 300)
  })
})
