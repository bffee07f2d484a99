import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { startRecordingServer } from '../support/recording-server.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const noteOf = (name: string) =>
  `# Note ${name}\n\nThe harbour board met about ${name} and decided to dredge.\n`
const documents = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [`docs/${name}.md`, noteOf(name)]))

async function setting(
  options: SimulatorOptions = {},
  files: Readonly<Record<string, string | Buffer>> = documents('ale', 'beer', 'cider', 'gin'),
) {
  const cwd = await createFolder(files)
  const { env, simulator } = await startService({
    ...options,
    batches: { durationMs: 1, ...options.batches },
  })
  const run = (...args: string[]) => runInProcess(args, { cwd, env, clockSpeed: 100 })
  /** The contents of all summaries and error records, by file name. */
  const written = async (out = 'summaries') => {
    const names = await readdir(join(cwd, out, 'docs')).catch(() => [])
    const texts = names.map(async (name) => [name, await readFile(join(cwd, out, 'docs', name), 'utf8')])
    return Object.fromEntries(await Promise.all(texts)) as Record<string, string>
  }
  const report = async (...args: string[]) =>
    JSON.parse((await run('report', ...args, '--format', 'json')).stdout)
  return { cwd, env, simulator, run, written, report }
}

describe('summarize --batch', () => {
  it('B15 gives the same results as a live run at half the price', async () => {
    const files = { ...documents('ale', 'beer', 'cider', 'gin'), 'docs/bad.md': Buffer.from([0xff]) }
    const { run, written, report, simulator } = await setting({}, files)
    // One document is summarized first, so that no canary request is needed.
    for (const out of ['live', 'batch']) await run('summarize', 'docs/ale.md', '-o', out)
    const live = await run('summarize', 'docs', '-o', 'live')
    const batch = await run('summarize', 'docs', '-o', 'batch', '--batch', '--log', 'log.jsonl')
    expect([live.code, batch.code]).toEqual([1, 1])
    const timeless = (texts: Record<string, string>) =>
      JSON.stringify(texts).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z|\d+(\.\d+)? m?s/g, '')
    expect(timeless(await written('batch'))).toBe(timeless(await written('live')))

    const [one, other] = [await report('live', '--run', 'last'), await report('batch', '--run', 'last')]
    const { totals, groups, errors } = other
    expect(totals).toEqual({ ...one.totals, cost_usd: one.totals.cost_usd / 2 })
    expect(errors).toEqual(one.errors)
    expect(groups.prompt[0]).toEqual({ ...one.groups.prompt[0], cost_usd: one.totals.cost_usd / 2 })
    expect(
      other.documents.map(({ path, batch_id }: { path: string; batch_id: string | null }) => [
        path,
        batch_id,
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['docs/bad.md', null],
        ['docs/gin.md', 'msgbatch_sim00000001'],
      ]),
    )
    expect(simulator.stats().batchBilled.requests).toBe(3)
    expect(batch.stderr).toContain('batch msgbatch_sim00000001 created: 3 documents')
    expect(batch.stderr).not.toContain('latency')
  })

  it('accepts a notebook with a lone surrogate in its output', async () => {
    const notebook = JSON.stringify({
      cells: [{ cell_type: 'code', source: 'print()', outputs: [{ text: 'The harbour \ud83d board met.' }] }],
    })
    const files = { ...documents('ale', 'beer'), 'docs/cut.ipynb': notebook }
    const { run, simulator } = await setting({}, files)
    for (const flags of [['-o', 'live'], ['--batch']]) {
      const { code, stderr } = await run('summarize', 'docs', ...flags)
      expect([code, stderr]).toEqual([0, expect.not.stringContaining('low surrogate')])
    }
    expect(simulator.stats().batches.created).toBe(1)
  })

  it('sends one canary request for new settings, and none in later runs', async () => {
    const { run, simulator, cwd } = await setting()
    expect((await run('summarize', 'docs', '--batch')).code).toBe(0)
    expect(simulator.stats().requests).toBe(1)
    expect(simulator.stats().batchBilled.requests).toBe(3)
    await writeFile(join(cwd, 'docs/gin.md'), noteOf('rum'))
    expect((await run('summarize', 'docs', '--batch')).code).toBe(0)
    expect(simulator.stats().requests).toBe(1)
    // Another prompt needs another canary request.
    expect(
      (await run('summarize', 'docs', '--batch', '--prompt', 'summarize@v1', '--redo', 'settings')).code,
    ).toBe(0)
    expect(simulator.stats().requests).toBe(2)
    expect((await run('summarize', 'docs', '--batch')).code).toBe(0)
  })

  it('--detach leaves the batch to the next run, which collects it and sends only new documents', async () => {
    const { run, written, simulator, cwd } = await setting()
    const first = await run('summarize', 'docs', '--batch', '--detach')
    expect(first.code).toBe(0)
    expect(first.stderr).toMatch(
      /^claude-batch: docs\/\w+\.md is sent live first, to check that the API accepts/,
    )
    expect(first.stderr).toMatch(/ created: 3 documents, \d KB; /)
    expect(first.stderr).toMatch(/^documents +4: 1 summarized, 3 in a batch /m)
    expect(first.stderr).toMatch(
      /to fetch the summaries later, run the same command again, or claude-batch batches collect summaries/,
    )
    expect(Object.keys(await written())).toHaveLength(1)
    await writeFile(join(cwd, 'docs/rum.md'), noteOf('rum'))
    expect((await run('summarize', 'docs', '--batch', '--detach', '-q')).stderr).toBe('')
    expect(Object.keys(await written())).toHaveLength(4)
    expect((await run('summarize', 'docs', '--batch', '--detach')).code).toBe(0)
    expect(Object.keys(await written())).toHaveLength(5)
    const { batches, batchBilled } = simulator.stats()
    expect([batches.created, batchBilled.requests]).toEqual([2, 4])
    expect([...simulator.stats().billedPrompts.values()]).toEqual(Array(5).fill(1))
  })

  it('B13 leaves documents in a batch to a later run, and reports that they are pending', async () => {
    const { run, simulator } = await setting({ batches: { durationMs: 60_000 } })
    await run('summarize', 'docs', '--batch', '--detach')
    expect((await run('summarize', 'docs', '--dry-run')).stdout).toMatch(
      /0 to summarize, 1 unchanged, 3 skipped \(3 in a batch\)/,
    )
    const { code, stderr } = await run('summarize', 'docs')
    expect(code).toBe(75)
    expect(stderr).toMatch(/1 skipped .*, 3 in a batch \(run the same command again to collect them\)/)
    const quiet = await run('summarize', 'docs', '-q')
    expect(quiet.stderr).toMatch(
      /^claude-batch: 3 documents are still in a batch at the API; to fetch them later, run the same command again/,
    )
    expect(simulator.stats().requests).toBe(1)
  })

  it('B03 B04 accepts documents with any name, and sends two documents with the same text once', async () => {
    const odd = ['a b', 'ü\u{1f600}', 'x'.repeat(200), '-', 'same1', 'same2']
    const files = Object.fromEntries(
      odd.map((name) => [`docs/${name}.md`, noteOf(name.replace(/same./, 'same'))]),
    )
    const { run, written, simulator } = await setting({}, files)
    expect((await run('summarize', 'docs', '--batch')).code).toBe(0)
    expect(Object.keys(await written())).toHaveLength(6)
    expect(simulator.stats().batches).toMatchObject({ created: 1, requests: 4 })
  })

  it('B05 B06 writes error records for refused documents, and sends expired ones again', async () => {
    let expire = true
    const { run, written } = await setting({
      batches: {
        chooseResult: ({ text }) => (expire && text.includes('beer') ? 'expired' : undefined),
      },
      script: ({ request: { text } }) =>
        text.includes('cider')
          ? { kind: 'status', status: 400, message: 'no cider' }
          : { kind: 'answer', delayMs: 1 },
    })
    const { code, stderr } = await run('summarize', 'docs', '--batch')
    // A failed document takes precedence over a pending one in the exit code.
    expect(code).toBe(1)
    expect(stderr).toContain('2 summarized, 1 failed, 1 pending')
    expect((await written())['cider.md.error.txt']).toMatch(/^ERROR: 400 invalid_request_error: no cider/)
    expire = false
    const again = await run('summarize', 'docs/beer.md', '--batch')
    expect(again.code).toBe(0)
    expect((await written())['beer.md.summary.md']).toContain('beer')
  })

  it('exits with 75 if only canceled documents are pending', async () => {
    const { run } = await setting({
      batches: { chooseResult: ({ text }) => (text.includes('beer') ? 'canceled' : undefined) },
    })
    expect((await run('summarize', 'docs', '--batch')).code).toBe(75)
  })

  it('B07 B08 writes every summary once after any number of interrupted downloads', async () => {
    let downloads = 0
    const { run, written, report, simulator } = await setting({
      batches: {
        chooseFault: (call) =>
          call === 'results' && ++downloads < 4 ? { cutAfter: 1, reset: downloads % 2 === 0 } : undefined,
      },
    })
    expect((await run('summarize', 'docs', '--batch')).code).toBe(0)
    expect(Object.keys(await written())).toHaveLength(4)
    expect((await report()).totals).toMatchObject({
      summarized: 4,
      input_tokens: tokensOf(simulator.stats()),
    })
    expect(downloads).toBe(4)
  })

  it('fails the document of an unreadable result, and sends no other document again', async () => {
    const names = Array.from({ length: 9 }, (_, n) => `note${n}`)
    const bad = (line: string, change: (result: { message: object }) => unknown) => {
      const { custom_id, result } = JSON.parse(line)
      return JSON.stringify({ custom_id, result: change(result) })
    }
    const changes: ((line: string) => string)[] = [
      (line) => line.slice(0, -20),
      (line) => bad(line, () => null),
      (line) => bad(line, ({ message }) => ({ type: 'succeeded', message: { ...message, content: null } })),
      () => 'null',
      (line) => line.replace(/"custom_id":"[^"]*"/, '"custom_id":7'),
    ]
    const { run, written, simulator } = await setting(
      {
        batches: {
          changeResults: (lines) => ['', ...lines.map((line, n) => changes[n]?.(line) ?? line), ' '],
        },
      },
      documents(...names),
    )
    const { code, stderr } = await run('summarize', 'docs', '--batch')
    expect(code).toBe(1)
    expect(stderr).toMatch(/4 summarized, 5 failed/)
    const records = Object.entries(await written()).filter(([name]) => name.endsWith('.error.txt'))
    expect(records.map(([, text]) => text)).toEqual(
      Array(5).fill(
        expect.stringMatching(/^ERROR: reply batch_result_unreadable: .*\(batch msgbatch_sim00000001\)/),
      ),
    )
    // The error record has the text that was paid for, even if its document is unknown.
    expect(records.filter(([, text]) => text.includes('harbour board met')).length).toBe(3)
    expect([...simulator.stats().billedPrompts.values()]).toEqual(Array(9).fill(1))
    await run('summarize', 'docs', '--batch')
    const counts = [...simulator.stats().billedPrompts.values()].sort()
    // The next run sends only the failed documents again.
    expect(counts).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 2])
  })

  it('keeps documents in a batch while its results are incomplete, and a later run collects them', async () => {
    let isCut = true
    const { run, written, simulator } = await setting({
      batches: { changeResults: (lines) => (isCut ? lines.slice(0, 1) : lines) },
    })
    const first = await run('summarize', 'docs', '--batch')
    expect(first.code).toBe(75)
    expect(first.stderr).toMatch(/have no answer for 2 requests; try again later/)
    expect((await run('summarize', 'docs', '--batch')).code).toBe(75)
    expect((await run('summarize', 'docs')).code).toBe(75)
    isCut = false
    expect((await run('batches', 'collect')).code).toBe(0)
    expect(Object.keys(await written())).toHaveLength(4)
    expect([...simulator.stats().billedPrompts.values()]).toEqual(Array(4).fill(1))
  })

  it('B10 reports expired results, and the next run sends the documents again', async () => {
    let archived = false
    const { run, written } = await setting({ batches: { isArchived: () => archived } })
    await run('summarize', 'docs', '--batch', '--detach')
    archived = true
    const { code, stderr } = await run('summarize', 'docs')
    expect(code).toBe(1)
    expect(stderr).toMatch(/the results of the batch \S+ are gone/)
    expect(stderr).toMatch(/3 responses were lost in transit and may be billed too/)
    expect((await run('summarize', 'docs')).code).toBe(0)
    expect(Object.keys(await written()).filter((name) => name.endsWith('.error.txt'))).toEqual([])
  })

  it('B11 X14 sends no credentials to another host for the results', async () => {
    const other = await startRecordingServer()
    const url = new URL('/results', other.env['ANTHROPIC_BASE_URL']).href
    const { run } = await setting({ batches: { resultsUrl: url } })
    const { code, stderr } = await run('summarize', 'docs', '--batch')
    expect(code).toBe(4)
    expect(stderr).toMatch(/where no credentials are sent/)
    expect(other.bodies).toEqual([])
    // The batch is not lost: a later run can still collect it.
    expect((await run('batches', 'list')).stdout).toContain('msgbatch_sim00000001')
  })

  it('B14 saves the summary of the sent text if the document changed, and later summarizes the new text', async () => {
    const { run, written, cwd } = await setting()
    await run('summarize', 'docs', '--batch', '--detach')
    await writeFile(join(cwd, 'docs/gin.md'), noteOf('tonic'))
    await run('summarize', 'docs', '--batch', '--detach')
    expect((await written())['gin.md.summary.md']).toContain('gin')
    await run('summarize', 'docs', '--batch')
    expect((await written())['gin.md.summary.md']).toContain('tonic')
  })

  it('does not overwrite a file of the user, and saves the summary in the error record', async () => {
    const { run, written, cwd } = await setting()
    await run('summarize', 'docs', '--batch', '--detach')
    await writeFile(join(cwd, 'summaries/docs/gin.md.summary.md'), 'mine\n')
    expect((await run('summarize', 'docs', '--batch')).code).toBe(1)
    const texts = await written()
    expect(texts['gin.md.summary.md']).toBe('mine\n')
    expect(texts['gin.md.error.txt']).toMatch(/^ERROR: output untracked: [\s\S]*harbour board met about gin/)
  })

  it('B02 creates no second batch if the creation of the first is not confirmed', async () => {
    let first = true
    const { run, written, simulator } = await setting({
      batches: {
        chooseFault: (call) => {
          if (call !== 'create' || !first) return undefined
          first = false
          return { lost: 'after' }
        },
      },
    })
    expect((await run('summarize', 'docs', '--batch')).code).toBe(0)
    expect(simulator.stats().batches.created).toBe(1)
    expect(Object.keys(await written())).toHaveLength(4)
  })

  it('observes --max-cost in batches', async () => {
    const { run, simulator } = await setting()
    const { code, stderr } = await run('summarize', 'docs', '--batch', '--max-cost', '0.001')
    expect(code).toBe(0)
    expect(stderr).toMatch(/budget +\$0.001, \$0\.000/)
    expect(simulator.stats().batches.created).toBeGreaterThan(1)
    const other = await setting()
    const small = await other.run('summarize', 'docs', '--batch', '--max-cost', '0.0004')
    expect(small.code).toBe(5)
    expect(small.stderr).toMatch(/stopped at --max-cost/)
  })

  it('compares --confirm-above with the price of a batch', async () => {
    const { run, simulator } = await setting()
    const dear = ['summarize', 'docs', '--confirm-above', '0.0003']
    expect((await run(...dear)).code).toBe(2)
    expect((await run(...dear, '--batch')).code).toBe(0)
    expect(simulator.stats().batchBilled.requests).toBe(3)
  })

  it('--mode auto reports the mode and the reason', async () => {
    const { run, simulator } = await setting()
    const few = await run('summarize', 'docs/ale.md', '--mode', 'auto')
    expect(few).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/live: 1 document takes? about .* live, and a batch/),
    })
    const slow = await run('summarize', 'docs', '--mode', 'auto', '--rpm', '0.02')
    expect(slow.stderr).toMatch(/as a batch: 3 documents take about 2\.5 h live/)
    expect(slow.code).toBe(0)
    expect([simulator.stats().requests, simulator.stats().batchBilled.requests]).toEqual([1, 3])
    expect((await run('summarize', 'docs', '--mode', 'batch', '--redo', 'all')).stderr).toMatch(
      /created: 4 documents/,
    )
  })

  it.each([
    [['--batch', '-o', '-'], /--batch needs an output folder/],
    [['--detach'], /add --batch/],
    [['--batch', '--sample', '3'], /--sample sends live requests/],
    [['--batch', '--detach', '--simulate'], /whose batches end with this run/],
    [
      ['--batch', '--detach', '--digest', 'd.md'],
      /--digest cannot be combined with --detach.*when you collect the batches/,
    ],
    [['--mode', 'auto', '--detach', '--digest', 'd.md'], /--digest cannot be combined with --detach/],
    [['--batch', '--mode', 'auto'], /--batch and --mode auto cannot be combined/],
  ])('%j is a usage error', async (flags, message) => {
    const { run } = await setting()
    const { code, stderr } = await run('summarize', 'docs', ...flags)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })

  it('finishes all documents that fit --max-cost if one of them is long', async () => {
    const long = Array.from({ length: 60 }, (_, n) => `The harbour board met on day ${n}, and dredged on.`)
    const { run, simulator } = await setting(
      {},
      { ...documents('ale', 'beer', 'cider'), 'docs/long.md': long.join('\n\n') },
    )
    const parts = ['summarize', 'docs', '--batch', '--chunk-tokens', '1000']
    const detached = await run(...parts, '--detach', '--max-cost', '0.0015')
    expect(detached.code).toBe(5)
    expect(detached.stderr).toMatch(/is reserved for requests in batches, and the next request may cost/)
    expect(await run(...parts, '--max-cost', '0.01')).toMatchObject({ code: 0 })
    expect([...simulator.stats().billedPrompts.values()].every((count) => count === 1)).toBe(true)
    expect((await run(...parts, '--redo', 'all', '--max-cost', '0.006')).code).toBe(0)
  })

  it('--sample selects documents that are in no batch, and asks before it sends the rest', async () => {
    const { run, simulator, cwd } = await setting({ batches: { durationMs: 60_000 } })
    await run('summarize', 'docs', '--batch', '--detach')
    for (const name of ['rum', 'sake', 'tea', 'wine'])
      await writeFile(join(cwd, `docs/${name}.md`), noteOf(name))
    const { stderr } = await run('summarize', 'docs', '--sample', '2')
    expect(stderr).toContain('sample: 2 of 2 summarized')
    expect(stderr).toContain('the sample is done')
    expect(simulator.stats().requests).toBe(3)
  })

  it('--mode auto chooses live requests with -o -, because batches need an output folder', async () => {
    const { run, simulator } = await setting()
    const { code, stdout, stderr } = await run('summarize', 'docs', '--mode', 'auto', '-o', '-')
    expect(code).toBe(0)
    expect(stdout.match(/harbour board/g)).toHaveLength(4)
    expect(stderr).toMatch(/live: batches need an output folder/)
    expect(simulator.stats().batches.created).toBe(0)
  })

  it('works with --simulate', async () => {
    const { cwd } = await setting()
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--batch', '--simulate'], {
      cwd,
      clockSpeed: 10,
    })
    expect(code).toBe(0)
    expect(stderr).toMatch(/4 summarized[\s\S]*simulated: nothing was spent/)
  })
})

describe('a batch collected by a run with other options', () => {
  const schema = {
    type: 'object',
    properties: { title: { type: 'string' } },
    required: ['title'],
    additionalProperties: false,
  }
  const said = (text: string) => ({ kind: 'answer', delayMs: 1, content: [{ type: 'text', text }] }) as const
  /** Commands that collect a batch: `batches collect`, and runs with other options or documents. */
  const ways = [
    ['batches collect', ['batches', 'collect']],
    ['the same documents without the options', ['summarize', 'docs', '--batch']],
    ['a run over another folder', ['summarize', 'other']],
    ['a run with opposite options', ['summarize', 'other', '--front-matter', '--language', 'French']],
  ] as const

  it.each(ways)('keeps its schema: %s', async (_, args) => {
    const answers: Record<string, string> = {
      ale: '{"title":"Ale"}',
      beer: '{"title":"Be',
      cider: '{"title":7}',
      gin: '{"title":"Gin"}',
    }
    const { run, written, simulator } = await setting(
      {
        script: ({ request: { lastText } }) => {
          const [, name = ''] = /Note (\w+)/.exec(lastText) ?? []
          return said(answers[name] ?? 'A summary.')
        },
      },
      {
        ...documents('ale', 'beer', 'cider', 'gin'),
        'other/rum.md': noteOf('rum'),
        'schema.json': JSON.stringify(schema),
      },
    )
    expect((await run('summarize', 'docs', '--batch', '--detach', '--schema', 'schema.json')).code).toBe(0)
    await run(...args)
    const texts = await written()
    expect(texts['gin.md.summary.json']).toBe('{"title":"Gin"}\n')
    expect(texts['beer.md.error.txt']).toMatch(/^ERROR: reply schema: the answer is not JSON\n/)
    expect(texts['beer.md.error.txt']).toContain('{"title":"Be')
    expect(texts['cider.md.error.txt']).toMatch(/^ERROR: reply schema: the answer does not fit the schema/)
    expect(Object.keys(texts).filter((name) => /(beer|cider)\.md\.summary/.test(name))).toEqual([])
    expect(simulator.stats().batchBilled.requests).toBeGreaterThan(2)
  })

  it.each(ways)('keeps its front matter, language, length and price: %s', async (_, args) => {
    const { run, written, report } = await setting(
      {
        script: () => said('The harbour board met in the morning and decided to dredge the basin.'),
      },
      { ...documents('ale', 'beer'), 'other/rum.md': noteOf('rum') },
    )
    const wishes = ['--front-matter', '--language', 'German', '--words', '80']
    const detached = ['summarize', 'docs', '--batch', '--detach', '--model', 'sonnet']
    await run(...detached, ...wishes, '--prices', 'claude-sonnet-5-5=1/2')
    await run(
      ...args,
      ...(args[0] === 'summarize' ? ['--model', 'sonnet', '--prices', 'claude-sonnet-5-5=7/7'] : []),
    )
    expect((await written())['beer.md.summary.md']).toMatch(
      /^---\nsource: "docs\/beer.md"\n[\s\S]*cost_usd: 0\.0/,
    )
    const { documents: rows } = await report()
    const row = rows.find(
      ({ path, batch_id }: { path: string; batch_id: string }) => path === 'docs/beer.md' && batch_id,
    )
    expect(row).toMatchObject({ status: 'summarized', quality_issues: ['language', 'length'] })
    const { input, output } = { input: row.input_tokens, output: row.output_tokens }
    expect(row.cost_usd).toBeCloseTo((input * 1 + output * 2) / 1e6 / 2, 9)
  })

  it('overwrites with --force only files that existed when the batch was sent', async () => {
    const { run, written, cwd } = await setting()
    await run('summarize', 'docs')
    for (const name of ['beer', 'gin'])
      await writeFile(join(cwd, `summaries/docs/${name}.md.summary.md`), 'edited before\n')
    expect((await run('summarize', 'docs', '--batch', '--detach', '--force')).code).toBe(0)
    await writeFile(join(cwd, 'summaries/docs/gin.md.summary.md'), 'edited later\n')
    expect((await run('batches', 'collect')).code).toBe(1)
    const texts = await written()
    expect(texts['beer.md.summary.md']).toContain('harbour board')
    expect(texts['gin.md.summary.md']).toBe('edited later\n')
    expect(texts['gin.md.error.txt']).toMatch(/^ERROR: output modified: [\s\S]*harbour board met about gin/)
  })

  it('does not overwrite a summary that was edited by hand while its document was in the batch', async () => {
    const { run, written, cwd } = await setting()
    await run('summarize', 'docs')
    await rm(join(cwd, 'summaries/docs/gin.md.summary.md'))
    await run('summarize', 'docs', '--batch', '--detach')
    await writeFile(join(cwd, 'summaries/docs/gin.md.summary.md'), 'mine\n')
    expect((await run('batches', 'collect')).code).toBe(1)
    const texts = await written()
    expect(texts['gin.md.summary.md']).toBe('mine\n')
    expect(texts['gin.md.error.txt']).toMatch(
      /^ERROR: output modified: its summary was edited by hand while .*; use --force to overwrite it/,
    )
  })

  it('keeps a result whose summary cannot be written, until it can', async () => {
    const { run, written, cwd, simulator } = await setting()
    await run('summarize', 'docs', '--batch', '--detach')
    const elsewhere = await createFolder({})
    await rm(join(cwd, 'summaries/docs'), { recursive: true })
    await symlink(elsewhere, join(cwd, 'summaries/docs'))
    const blocked = await run('batches', 'collect')
    expect(blocked.code).toBe(75)
    expect(blocked.stderr).toMatch(
      /docs\/gin\.md stays in the batch .*: the folder of its summary is behind a symbolic link/,
    )
    expect(await readdir(elsewhere)).toEqual([])
    await rm(join(cwd, 'summaries/docs'))
    expect((await run('batches', 'collect')).code).toBe(0)
    expect(Object.keys(await written())).toHaveLength(3)
    expect(simulator.stats().batches.created).toBe(1)
  })

  it('is reported if its file is damaged, and no document is sent again', async () => {
    const { run, cwd, simulator } = await setting()
    await run('summarize', 'docs', '--batch', '--detach')
    const folder = join(cwd, 'summaries/.claude-batch/batches')
    const [name = ''] = await readdir(folder)
    const text = await readFile(join(folder, name), 'utf8')
    await writeFile(join(folder, name), text.replace('"front_matter":false', '"front_matter":"no"'))
    const { requests } = simulator.stats()
    for (const args of [
      ['summarize', 'docs'],
      ['batches', 'collect'],
      ['batches', 'list'],
    ]) {
      const { code, stderr } = await run(...args)
      expect(code).toBe(6)
      expect(stderr).toMatch(
        /^claude-batch: \S+\.jsonl is damaged in line 2; restore the file, or delete the file to give/,
      )
    }
    expect(simulator.stats().requests).toBe(requests)
  })
})

describe('claude-batch batches', () => {
  it('lists batches, shows their status and collects them', async () => {
    const { run, written } = await setting({ batches: { durationMs: 300 } })
    expect(await run('batches', 'list')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no run has written to summaries'),
    })
    await run('summarize', 'docs', '--batch', '--detach')
    expect((await run('batches', 'list')).stdout).toMatch(
      /^batch +created +documents +prompt +base URL\nmsgbatch_sim00000001 .* 3 +summarize@v3, claude-haiku-5-5 +http/,
    )
    expect((await run('batches', 'status')).stdout).toMatch(/in progress for \d+ ms|ended; ready to collect/)
    await expect
      .poll(async () => (await run('batches', 'status')).stdout)
      .toContain('ended; ready to collect')
    const collected = await run('batches', 'collect', 'summaries')
    expect(collected).toMatchObject({ code: 0 })
    expect(collected.stderr).toContain('documents  3: 3 summarized')
    expect(Object.keys(await written())).toHaveLength(4)
    expect((await run('batches', 'collect')).stderr).toMatch(/no batches in summaries are waiting/)
    expect((await run('summarize', 'docs')).stderr).toMatch(/4 unchanged/)
  })

  it('collect exits with 75 if a batch is not ready, and --wait waits for it', async () => {
    const { run } = await setting({ batches: { durationMs: 1000 } })
    await run('summarize', 'docs', '--batch', '--detach')
    expect((await run('batches', 'collect', '-q')).code).toBe(75)
    expect((await run('batches', 'collect', '--wait')).code).toBe(0)
  })

  it('cancel stops a batch: finished results are collected, and other documents are sent again', async () => {
    const { run, simulator } = await setting({ batches: { durationMs: 60_000 } })
    await run('summarize', 'docs', '--batch', '--detach')
    const canceled = await run('batches', 'cancel', '--id', 'msgbatch_sim00000001')
    expect(canceled).toMatchObject({ code: 0, stderr: expect.stringMatching(/being canceled/) })
    await expect
      .poll(async () => (await run('batches', 'status')).stdout)
      .toContain('ended; ready to collect')
    expect((await run('summarize', 'docs')).code).toBe(0)
    expect([...simulator.stats().billedPrompts.values()]).toEqual(Array(4).fill(1))
    expect((await run('batches', 'cancel', '--id', 'x')).code).toBe(3)
  })

  it('cancel reports a batch that has already ended, and continues with the others', async () => {
    const { run, cwd } = await setting()
    await run('summarize', 'docs', '--batch', '--detach')
    await writeFile(join(cwd, 'docs/rum.md'), noteOf('rum'))
    const folder = join(cwd, 'summaries/.claude-batch/batches')
    const [name = ''] = await readdir(folder)
    // A second batch, which belongs to another API.
    const other = (await readFile(join(folder, name), 'utf8'))
      .replaceAll(name.slice(0, 16), '0000000000000000')
      .replaceAll('msgbatch_sim00000001', 'msgbatch_elsewhere')
      .replace(/"base_url":"[^"]*"/, '"base_url":"https://elsewhere.example"')
    await writeFile(join(folder, '0000000000000000.jsonl'), other)
    await expect
      .poll(async () => (await run('batches', 'status')).stdout)
      .toContain('ended; ready to collect')
    const { code, stderr } = await run('batches', 'cancel')
    expect(code).toBe(2)
    expect(stderr).toMatch(/belongs to https:\/\/elsewhere\.example/)
    expect(stderr).toMatch(/the batch msgbatch_sim00000001 has ended already/)
  })

  it('status, collect and cancel send no key over plain HTTP to a host that is not allowed', async () => {
    const { run, cwd, env } = await setting()
    await run('summarize', 'docs', '--batch', '--detach')
    const other = { ...env, ANTHROPIC_BASE_URL: 'http://127.0.0.1.nip.io' }
    for (const command of ['status', 'collect', 'cancel']) {
      const { code, stderr } = await runInProcess(['batches', command], { cwd, env: other })
      expect([command, code]).toEqual([command, 2])
      expect(stderr).toMatch(
        /^claude-batch: refusing to send a key over plain http to 127\.0\.0\.1\.nip\.io;/,
      )
    }
    const status = ['batches', 'status', '--allow-http', '127.0.0.1.nip.io']
    // The host is allowed, but it does not answer, so the batch is still that of another API.
    expect((await runInProcess(status, { cwd, env: other })).stdout).toContain('not to the current base URL')
  })

  it('cancel --id gives up a batch that the API does not know, and releases its documents', async () => {
    const { run, cwd, env } = await setting()
    await run('summarize', 'docs', '--batch', '--detach')
    const folder = join(cwd, 'summaries/.claude-batch/batches')
    const [name = ''] = await readdir(folder)
    const file = join(folder, name)
    const long = (await readFile(file, 'utf8'))
      .replace('msgbatch_sim00000001', 'msgbatch_gone')
      .replace(/"sealed_at":"\d+/, '"sealed_at":"2020')
    await writeFile(file, long)
    const { code, stderr } = await run('summarize', 'docs', '--batch')
    expect(code).toBe(4)
    expect(stderr).toMatch(/does not know the batch msgbatch_gone.*batches cancel --id msgbatch_gone/)
    const other = { ...env, ANTHROPIC_BASE_URL: `${env['ANTHROPIC_BASE_URL']}/other` }
    const elsewhere = await runInProcess(['batches', 'cancel'], { cwd, env: other })
    expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringMatching(/set ANTHROPIC_BASE_URL/) })
    // With a wrong key, the API knows no batch, so cancel gives up a batch only by its id.
    const all = await run('batches', 'cancel')
    expect(all).toMatchObject({ code: 4, stderr: expect.stringMatching(/batches cancel --id msgbatch_gone/) })
    const named = await run('batches', 'cancel', '--id', 'msgbatch_gone')
    expect(named).toMatchObject({ code: 0, stderr: expect.stringMatching(/so it was removed/) })
    expect((await run('summarize', 'docs')).code).toBe(0)
  })
})

function tokensOf({
  billed,
  batchBilled,
}: {
  billed: { inputTokens: number }
  batchBilled: { inputTokens: number }
}): number {
  return billed.inputTokens + batchBilled.inputTokens
}
