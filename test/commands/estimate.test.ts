import { execFileSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const prose = (sentences: number) =>
  'The harbour board met about the channel, and decided nothing. '.repeat(sentences)
const documents = Object.fromEntries(
  Array.from({ length: 40 }, (_, n) => [`docs/${String(n).padStart(2, '0')}.md`, prose(5 + ((n * 7) % 60))]),
)

async function setting(files: Readonly<Record<string, string | Buffer>> = documents) {
  const cwd = await createFolder(files)
  const { env, simulator } = await startService({ latency: { medianMs: 1 } })
  const run = (args: readonly string[], confirmAnswer?: boolean) =>
    runInProcess(args, { cwd, env, ...(confirmAnswer !== undefined && { confirmAnswer }) })
  return { cwd, run, env, simulator }
}

const bill = ({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }) =>
  (inputTokens * 0.1 + outputTokens * 0.5) / 1e6

describe('--dry-run', () => {
  it('prints what the run would do, without any request or file', async () => {
    const { cwd, run, simulator } = await setting({
      ...documents,
      'docs/empty.md': '',
      'docs/latin1.txt': Buffer.from([0x63, 0x61, 0x66, 0xe9]),
    })
    const { code, stdout, stderr } = await run(['summarize', 'docs', '--dry-run'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /^documents +40 to summarize, 1 skipped \(1 empty\), 1 will fail \(1 not UTF-8\)$/m,
    )
    expect(stdout).toMatch(/^live +about \$0\.0\d+ \(\$0\.0\d+ to \$0\.0\d+\)$/m)
    expect(stdout).toMatch(/^batch +about \$0\.0\d+/m)
    expect(stdout).toMatch(/^time +about 3 s, up to 50 requests in flight$/m)
    expect(stdout).toMatch(/^based on +assumptions only/m)
    expect(stdout).toMatch(/\nnothing was sent\n$/)
    expect(simulator.stats().requests).toBe(0)
    expect(await readdir(cwd)).toEqual(['docs'])
    const slow = await run(['summarize', 'docs', '--dry-run', '--rpm', '10'])
    expect(slow.stdout).toMatch(
      /^time +about 4 min at 10 requests a minute \(configured\), one request at a time$/m,
    )
  })

  it('needs no key, unless the API counts the tokens', async () => {
    const cwd = await createFolder(documents)
    const estimate = ['summarize', 'docs', '--dry-run']
    for (const env of [{}, { ANTHROPIC_BASE_URL: 'https://gateway.example' }]) {
      const { code, stdout, stderr } = await runInProcess(estimate, { cwd, env })
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/^live +about \$0\.0\d+ .*$[\s\S]*\nnothing was sent\n$/m)
    }
    for (const args of [
      [...estimate, '--token-count', 'exact'],
      ['summarize', 'docs'],
    ]) {
      const { code, stderr } = await runInProcess(args, { cwd, env: {} })
      expect([code, stderr]).toEqual([2, expect.stringContaining('no credentials found')])
    }
  })

  it('learns nothing from a simulated run, whose replies have other lengths', async () => {
    const { run } = await setting()
    await run(['summarize', 'docs', '-o', 'tried', '--simulate'])
    const estimate = ['summarize', 'docs', '-o', 'tried', '--dry-run']
    const { stdout } = await run(estimate)
    expect(stdout).toMatch(/^documents +40 to summarize$/m)
    expect(stdout).toMatch(/^based on +assumptions only/m)
    expect(stdout).not.toContain('observed by the last run')
    const simulated = await run([...estimate, '--simulate', '--redo', 'all'])
    expect(simulated.stdout).toMatch(/^based on +earlier results/m)
  })

  it('excludes documents that are up to date, and reports what would happen to the rest', async () => {
    const { cwd, run } = await setting()
    await run(['summarize', 'docs/00.md', 'docs/01.md'])
    const before = await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8')
    const { stdout, stderr } = await run(['summarize', 'docs', '--dry-run', '-v'])
    expect(stdout).toMatch(/^documents +38 to summarize, 2 unchanged$/m)
    expect(stderr).toContain('docs/00.md: its summary is up to date\n')
    expect(stderr).toMatch(/docs\/02\.md: would be summarized, \d+ characters of prompt\n/)
    expect(await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8')).toBe(before)
    const all = await run(['summarize', 'docs', '--dry-run', '--redo', 'all'])
    expect(all.stdout).toMatch(/^documents +40 to summarize$/m)
  })

  it('counts all chunks of a long document and the requests that merge them', async () => {
    const { run, cwd } = await setting()
    await writeFile(join(cwd, 'docs/long.md'), 'long '.repeat(300_000))
    const { code, stdout, stderr } = await run([
      'summarize',
      'docs',
      '--dry-run',
      '--token-count',
      'exact',
      '-v',
    ])
    expect(code).toBe(0)
    expect(stderr).toMatch(/docs\/long.md: would be summarized in \d\d? chunks, \d{6} tokens of prompt/)
    expect(stdout).toContain('41 to summarize')
  })

  it('counts tokens with the API for --token-count exact, exactly as billed', async () => {
    const { cwd, run, simulator } = await setting()
    const estimate = [
      'summarize',
      'docs',
      '--dry-run',
      '--token-count',
      'exact',
      '--report',
      'estimates/one.json',
    ]
    const { code, stdout } = await run(estimate)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^tokens in +[\d,]+, counted by the API$/m)
    expect(simulator.stats().billed.requests).toBe(0)
    const { input_tokens: counted } = JSON.parse(await readFile(join(cwd, 'estimates/one.json'), 'utf8'))
    await run(['summarize', 'docs'])
    expect(counted.expected).toBe(simulator.stats().billed.inputTokens)
    expect(counted.low).toBe(counted.high)
  })

  it('suggests --token-count estimate if the API cannot count tokens', async () => {
    const { run, env } = await setting()
    env['ANTHROPIC_BASE_URL'] += '/elsewhere'
    const { code, stderr } = await run(['summarize', 'docs', '--dry-run', '--token-count', 'exact'])
    expect(code).toBe(4)
    expect(stderr).toMatch(/this API cannot count tokens for .*: 404 .*; use --token-count estimate\n$/)
  })

  it('shows an unknown cost for a model without a price', async () => {
    const { cwd, run } = await setting()
    const { stdout } = await run([
      'summarize',
      'docs',
      '--dry-run',
      '--model',
      'llama-9',
      '--report',
      'e.json',
    ])
    expect(stdout).toMatch(/^live +unknown$/m)
    expect(stdout).toMatch(/^batch +unknown$/m)
    expect(stdout).not.toContain('$')
    const { cost_usd: cost, worst_case_usd: worst } = JSON.parse(await readFile(join(cwd, 'e.json'), 'utf8'))
    expect([cost, worst]).toEqual([{ live: null, batch: null }, null])
  })

  it('uses the higher price tier for a prompt of more than 100,000 tokens', async () => {
    const { cwd, run } = await setting({ 'a.md': prose(5000), 'b.md': prose(2000) })
    const whole = ['--chunk-tokens', '900000']
    await run(['summarize', '.', ...whole, '--dry-run', '--token-count', 'exact', '--report', 'e.json'])
    const { cost_usd: cost, input_tokens: input } = JSON.parse(await readFile(join(cwd, 'e.json'), 'utf8'))
    const dear = (prose(5000).length / 2.5) * 0.5 + (prose(2000).length / 2.5) * 0.1
    expect(input.expected).toBeGreaterThan(100_000)
    expect(cost.live.expected).toBeGreaterThan(dear / 1e6)
  })

  it('is written as a page and as Markdown with the figures of the terminal', async () => {
    const { cwd, run } = await setting()
    const { stdout } = await run(['summarize', 'docs', '--dry-run', '--report', 'e.html'])
    await run(['summarize', 'docs', '--dry-run', '--report', 'e.md'])
    const [, live = ''] = /^live +(about \$[\d.]+)/m.exec(stdout) ?? []
    expect(live).not.toBe('')
    const page = await readFile(join(cwd, 'e.html'), 'utf8')
    expect(page).toMatch(/^<!doctype html>/i)
    for (const text of [page, await readFile(join(cwd, 'e.md'), 'utf8')])
      expect(text).toMatch(new RegExp(`40 to summarize[^]*${live.replaceAll(/[$.]/g, '\\$&')}`))
  })

  it.each([
    [['--dry-run', '--sample', '5'], '--dry-run and --sample cannot be combined'],
    [['--token-count', 'exact'], '--token-count is an option of --dry-run'],
    [['--report', 'e.pdf'], 'expected a name that ends in .json, .md or .html'],
    [['--sample', '1'], '--sample: expected a whole number'],
  ])('%j is a usage error', async (flags, message) => {
    const { run, simulator } = await setting()
    expect(await run(['summarize', 'docs', ...flags])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    })
    expect(simulator.stats().requests).toBe(0)
  })
})

describe('an estimate', () => {
  it('is within 10 % of the actual cost after a sample, and its interval contains that cost', async () => {
    const modules = resolve(import.meta.dirname, '../../node_modules')
    const find = execFileSync('find', [modules, '-name', 'README.md', '-size', '+1k', '-type', 'f'], {
      encoding: 'utf8',
    })
    // Identical documents, such as those of a package in two versions, share one request.
    const byContent = new Map<string, string>()
    for (const path of find.trimEnd().split('\n').sort()) byContent.set(await readFile(path, 'utf8'), path)
    const { cwd, run, simulator } = await setting({
      list: [...byContent.values()].slice(0, 150).join('\n'),
    })
    const job = ['summarize', '--files-from', 'list']
    expect(await run([...job, '--sample', '25'])).toMatchObject({ code: 0 })
    const before = bill(simulator.stats().billed)
    expect(simulator.stats().billed.requests).toBe(25)
    const { stdout } = await run([...job, '--dry-run', '--report', 'e.json'])
    expect(stdout).toMatch(/^based on +earlier results/m)
    await run(job)
    const happened = bill(simulator.stats().billed) - before
    const { live } = JSON.parse(await readFile(join(cwd, 'e.json'), 'utf8')).cost_usd
    expect(happened).toBeGreaterThan(live.low)
    expect(happened).toBeLessThan(live.high)
    expect(Math.abs(live.expected / happened - 1)).toBeLessThan(0.1)
    const { stdout: compared } = await run(['report', '--compare-estimate', 'e.json'])
    expect(compared).toMatch(/^cost +\$0\.0\d+ \(.*\) +\$0\.0\d+ +[+−]\d\.\d %$/m)
    expect(compared).toMatch(/^documents +(\d+) +\1$/m)
    expect(compared).toMatch(/1 run since 20/)
  })
})

describe('--sample', () => {
  const sample = ['summarize', 'docs', '--sample', '8']

  it('summarizes documents of all sizes, prints the expected total cost, and stops without a terminal', async () => {
    const { run, cwd, simulator } = await setting()
    const { code, stderr } = await run(sample)
    expect(code).toBe(0)
    expect(simulator.stats().requests).toBe(8)
    const [, spent, low, high] =
      /they cost (\$[\d.]+); all 40 will cost about \$[\d.]+ \(\$([\d.]+) to \$([\d.]+)\)\n/.exec(stderr) ??
      []
    expect(spent).toBeDefined()
    expect(stderr).toContain('the sample is done; run the same command without --sample')
    expect(stderr).toMatch(/40: 8 summarized, 32 pending/)
    for (const file of stderr.match(/^ {2}summaries\/.*\.summary\.md$/gm) ?? [])
      expect((await readFile(join(cwd, file.trim()), 'utf8')).length).toBeGreaterThan(10)
    await run(['summarize', 'docs'])
    const all = bill(simulator.stats().billed)
    expect(all).toBeGreaterThan(Number(low))
    expect(all).toBeLessThan(Number(high))
  })

  it.each([
    [true, 0, 40],
    [false, 0, 8],
  ])('asks on a terminal, and follows the answer %s', async (answer, code, requests) => {
    const { run, simulator } = await setting()
    const ended = await run(sample, answer)
    expect(ended.code).toBe(code)
    expect(ended.stderr).toContain('Continue with the other 32? [y/N]')
    expect(simulator.stats().requests).toBe(requests)
  })

  it('continues without asking with --yes', async () => {
    const { run, simulator } = await setting()
    const { stderr } = await run([...sample, '--yes'])
    expect(stderr).toMatch(/all 40 will cost about/)
    expect(stderr).toMatch(/40: 40 summarized/)
    expect(simulator.stats().requests).toBe(40)
  })

  it('selects the same documents every time, and sends nothing if all are up to date', async () => {
    const [one, other] = [await setting(), await setting()]
    const summaries = async ({ cwd }: { cwd: string }) => readdir(join(cwd, 'summaries/docs'))
    await one.run(sample)
    await other.run(sample)
    expect(await summaries(one)).toEqual(await summaries(other))
    await one.run(['summarize', 'docs', '-q'])
    expect(await one.run(sample)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('40 unchanged'),
    })
  })

  it('reports that the run stopped if all documents of the sample fail', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startService({ script: () => ({ kind: 'status', status: 422 }) })
    const { code, stderr } = await runInProcess(sample, { cwd, env })
    expect(code).toBe(4)
    expect(stderr).toMatch(/stopped: the first 5 documents all failed with the same error/)
  })
})

describe('--sample without an output folder', () => {
  it.each([[['docs', '-o', '-']], [['-']]])('is a usage error before any request: %j', async (inputs) => {
    const { run, simulator } = await setting()
    const { code, stderr } = await run(['summarize', ...inputs, '--sample', '2'])
    expect([code, simulator.stats().requests]).toEqual([2, 0])
    expect(stderr).toMatch(/--sample needs an output folder: -o DIR/)
  })
})

describe('a run that may cost more than --confirm-above', () => {
  const dear = ['summarize', 'docs', '--confirm-above', '0.001']

  it('needs --yes or --max-cost without a terminal, or else ends without any request or file', async () => {
    const { run, cwd, simulator } = await setting()
    const { code, stderr } = await run(dear)
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /40 documents will cost about \$0\.0\d+ \(.*\), more than --confirm-above \$0\.001; give --yes/,
    )
    expect(simulator.stats().requests).toBe(0)
    expect(await readdir(cwd)).toEqual(['docs'])
  })

  it.each([
    [true, 0, 40],
    [false, 5, 0],
  ])('asks on a terminal, and exits after the answer %s with %i', async (answer, code, requests) => {
    const { run, simulator } = await setting()
    const ended = await run(dear, answer)
    expect(ended.stderr).toMatch(/Continue\? \[y\/N\]/)
    expect(ended.code).toBe(code)
    expect(simulator.stats().requests).toBe(requests)
  })

  it.each([[['--yes']], [['--max-cost', '1']], [['--confirm-above', '1']]])(
    'continues with %j',
    async (flags) => {
      const { run } = await setting()
      expect(await run([...dear, ...flags])).toMatchObject({ code: 0 })
    },
  )

  it('needs a confirmation for compare, too', async () => {
    const { run, simulator } = await setting()
    const { code, stderr } = await run(['compare', ...dear.slice(1), '--models', 'haiku,sonnet'])
    expect(stderr).toMatch(/40 answers will cost about \$0\.\d+ /)
    expect(code).toBe(2)
    expect(simulator.stats().requests).toBe(0)
  })

  it('needs no confirmation if all documents are up to date', async () => {
    const { run } = await setting()
    await run(['summarize', 'docs'])
    expect(await run(dear)).toMatchObject({ code: 0 })
  })
})
