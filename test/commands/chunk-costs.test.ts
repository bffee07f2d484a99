import { createHash } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StopSignal } from '../../src/runtime.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { readRecordedRuns } from '../../src/storage/ledger/recorded-runs.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const chapter = (n: number) =>
  `# Chapter ${n}\n\n${`Of voyage ${n} there is much to tell, of ports and of weather. `.repeat(30)}\n\n`
const book = (chapters: readonly number[]) => chapters.map(chapter).join('')
/** Limits a chunk to about one chapter. */
const chunked = ['--chunk-tokens', '1600']

/** Prompts without the path of the document, so that documents share chunks. */
const sharing = Object.fromEntries(
  ['chunk', 'reduce'].map((name) => [
    `prompts/${name}.yaml`,
    `versions:\n  v1:\n    user_template: "Notes for ${name}: {text}"\n`,
  ]),
)

/** The requests and costs in the ledger, and the requests that the runs counted. */
async function booked(cwd: string) {
  const runs = await readRecordedRuns(join(cwd, 'summaries'), undefined)
  const lines = runs.flatMap(({ entries: lines }) => lines)
  const sum = (of: (line: (typeof lines)[number]) => number) => lines.reduce((all, line) => all + of(line), 0)
  return {
    requests: sum(({ attempts }) => attempts),
    lost: sum(({ lost_replies: lost = 0 }) => lost),
    counted: runs.reduce((all, { end }) => all + (end?.requests ?? Number.NaN), 0),
    inputTokens: sum(({ usage }) => usage?.input_tokens ?? Number.NaN),
    outputTokens: sum(({ usage }) => usage?.output_tokens ?? Number.NaN),
    picodollars: sum(({ cost_usd: cost }) => Math.round((cost ?? Number.NaN) * 1e12)),
  }
}

/** The same figures as the simulator billed them, at the prices of Haiku 5.5, without failed batch items. */
function bill(simulator: Simulator) {
  const { requests, billed, batches, batchBilled } = simulator.stats()
  const sent = batches.requests === 0 ? requests : (expect.any(Number) as number)
  return {
    requests: sent,
    lost: 0,
    counted: sent,
    inputTokens: billed.inputTokens + batchBilled.inputTokens,
    outputTokens: billed.outputTokens + batchBilled.outputTokens,
    picodollars:
      billed.inputTokens * 100_000 +
      billed.outputTokens * 500_000 +
      batchBilled.inputTokens * 50_000 +
      batchBilled.outputTokens * 250_000,
  }
}

describe('the ledger', () => {
  it('counts the cost of a chunk that a document repeats once, as the API bills it', async () => {
    const cwd = await createFolder({ 'docs/book.md': book(Array<number>(11).fill(1)) })
    const { env, simulator } = await startService({})
    const { code, stderr } = await runInProcess(['summarize', 'docs', ...chunked], { cwd, env })
    expect(code).toBe(0)
    expect(await booked(cwd)).toEqual(bill(simulator))
    expect(simulator.stats().billed.requests).toBeLessThan(11)
    expect(stderr).toMatch(/^requests +2$/m)
    // The cost is only in the ledger, and no longer in the file of chunk costs.
    expect(await readdir(join(cwd, 'summaries/.claude-batch'))).not.toContain('chunk-costs.jsonl')
  })

  it('counts the cost of a shared chunk for the document that sent it, even if the document fails', async () => {
    const cwd = await createFolder({ ...sharing, 'docs/a.md': book([1, 2, 3]), 'docs/b.md': book([1, 2, 4]) })
    const { env, simulator } = await startService({
      script: ({ request }) => ({
        kind: 'answer',
        delayMs: 5,
        ...(request.lastText.includes('Notes for chunk') &&
          request.lastText.includes('# Chapter 3') && { stopReason: 'refusal' }),
      }),
    })
    const run = (...flags: string[]) =>
      runInProcess(['summarize', 'docs', ...chunked, ...flags], { cwd, env })
    expect((await run()).code).toBe(1)
    expect(await booked(cwd)).toEqual(bill(simulator))
    const { requests } = simulator.stats()
    expect((await run('--redo', 'failed')).code).toBe(1)
    // Only the refused chunk is sent again.
    expect(simulator.stats().requests - requests).toBe(1)
    expect(await booked(cwd)).toEqual(bill(simulator))
  })

  it('has the cost of the other chunks if the API returned no usage for one', async () => {
    const cwd = await createFolder({ 'docs/book.md': book([1, 2, 3]) })
    let uncounted = 0
    const { env, simulator } = await startService({
      script({ request }) {
        if (!request.lastText.includes('# Chapter 2')) return { kind: 'answer', delayMs: 5 }
        uncounted = request.inputTokens
        return { kind: 'answer', delayMs: 5, usage: null }
      },
    })
    const { code, stderr } = await runInProcess(['summarize', 'docs', ...chunked], { cwd, env })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/cost +\$\S+ and an unknown part \(1 without/)])
    const { inputTokens } = simulator.stats().billed
    expect(await booked(cwd)).toMatchObject({ inputTokens: inputTokens - uncounted })
    const { stdout } = await runInProcess(['report', '--format', 'json'], { cwd, env })
    const { totals, documents } = JSON.parse(stdout)
    expect(totals).toMatchObject({ input_tokens: inputTokens - uncounted, documents_with_unknown_cost: 1 })
    expect(documents).toMatchObject([{ input_tokens: inputTokens - uncounted, replies_with_unknown_cost: 1 }])
    expect((await runInProcess(['report', '--format', 'md', '--run', 'last'], { cwd, env })).stdout).toMatch(
      /`docs\/book\.md` \|.*\$\S+ and an unknown part \|/,
    )
  })

  it.each([
    ['chunk-costs', 1],
    ['chunk-costs', 2],
    ['chunk-cache', 1],
    ['chunk-cache', 2],
  ])(
    'equals the bill if the disk is full for %s.jsonl at write %i, which ends the run with one message',
    async (name, at) => {
      const cwd = await createFolder({ 'docs/book.md': book([1, 2, 3]) })
      const { env, simulator } = await startService({ script: () => ({ kind: 'answer', delayMs: 1 }) })
      const args = ['summarize', 'docs', ...chunked, '--concurrency', '1']
      const path = `\\.claude-batch/${name}\\.jsonl$`
      const full = await runInProcess(args, { cwd, env, faults: { do: 'ENOSPC', op: 'write', path, at } })
      expect([full.code, full.stderr]).toEqual([
        6,
        expect.stringMatching(new RegExp(`^claude-batch: cannot write .*${name}.*no space left`, 'm')),
      ])
      expect(await booked(cwd)).toEqual(bill(simulator))
      expect((await runInProcess(args, { cwd, env })).code).toBe(0)
      expect(await booked(cwd)).toEqual(bill(simulator))
    },
  )

  it('is complete if only the deletion of chunks that are no longer needed cannot be recorded', async () => {
    const cwd = await createFolder({ 'docs/book.md': book([1, 2, 3]) })
    const { env, simulator } = await startService({ script: () => ({ kind: 'answer', delayMs: 1 }) })
    // After the three replies, the fourth write records the chunks of the document.
    const faults = { do: 'ENOSPC', op: 'write', path: '/chunk-cache\\.jsonl$', at: 4, times: 9 }
    const { code, stderr } = await runInProcess(['summarize', 'docs', ...chunked], { cwd, env, faults })
    expect([code, stderr]).toEqual([0, expect.stringContaining('1 summarized')])
    expect(await booked(cwd)).toEqual(bill(simulator))
  })

  it('equals the bill for any repeated or shared chunks, any errors and any end of a run', async () => {
    const setting = fc.record({
      documents: fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }), {
        minLength: 1,
        maxLength: 3,
      }),
      edited: fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
      shares: fc.boolean(),
      more: fc.subarray([['--digest', 'all.md'], ['--batch'], ['--concurrency', '2']]),
      faults: fc.record({
        seed: fc.nat(),
        share: fc.constantFrom(0, 0.3),
        as: fc.constantFrom('refusal', 'max_tokens', '400', '529 once', '529 for ever'),
      }),
      stop: fc.option(
        fc.record({
          how: fc.constantFrom('drain', 'abort', 'cap', 'failures'),
          at: fc.integer({ min: 1, max: 12 }),
        }),
      ),
    })
    await fc.assert(fc.asyncProperty(setting, check), { numRuns: 12 })
  })
})

interface Setting {
  readonly documents: readonly (readonly number[])[]
  readonly edited: readonly number[]
  readonly shares: boolean
  readonly more: readonly (readonly string[])[]
  readonly faults: { readonly seed: number; readonly share: number; readonly as: string }
  readonly stop: { readonly how: string; readonly at: number } | null
}

/** Runs with errors or an early end, and runs again after a document was edited. */
async function check({ documents, edited, shares, more, faults, stop }: Setting): Promise<void> {
  const cwd = await createFolder({
    ...(shares && sharing),
    ...Object.fromEntries(documents.map((chapters, n) => [`docs/${n}.md`, book(chapters)])),
  })
  let [first, sent] = [true, 0]
  let deliver: (signal: StopSignal) => void = () => {}
  const seen = new Map<string, number>()
  const simulator = await startSimulator({
    batches: { durationMs: 5, chooseFault: () => undefined },
    script({ request }): Behaviour {
      const text = request.lastText
      const nth = (seen.get(text) ?? 0) + 1
      seen.set(text, nth)
      if (first && ++sent === stop?.at && (stop.how === 'drain' || stop.how === 'abort')) {
        deliver('SIGINT')
        if (stop.how === 'abort') return { kind: 'stall', afterHeaders: false }
      }
      const digest = createHash('sha256').update(`${faults.seed} ${text}`).digest()
      const isHit = digest.readUInt32BE() / 2 ** 32 < faults.share
      return isHit && first ? faultOf(faults.as, nth) : { kind: 'answer', delayMs: 1 }
    },
  })
  const run = async (...flags: readonly string[]) => {
    const args = ['summarize', 'docs', ...chunked, '--max-wait', '0.3', ...more.flat(), ...flags]
    const env = { ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' }
    const onSignalSender = (it: typeof deliver) => {
      deliver = it
    }
    const ended = await runInProcess(args, { cwd, env, onSignalSender, clockSpeed: 500 })
    expect(ended.code, ended.stderr).not.toBe(70)
    // Batch items are billed before the next run collects them.
    if (ended.stderr.includes('still in a batch')) return ended
    const [ledger, billed] = [await booked(cwd), bill(simulator)]
    // A signal may abort a request that the API bills nevertheless.
    if (ledger.lost > 0) expect(ledger.inputTokens, ended.stderr).toBeLessThanOrEqual(billed.inputTokens)
    else expect(ledger, ended.stderr).toEqual(billed)
    return ended
  }
  try {
    await run(
      ...(stop?.how === 'cap' ? ['--max-cost', String(0.0012 * stop.at)] : []),
      ...(stop?.how === 'failures' ? ['--max-failures', '1'] : []),
    )
    first = false
    await writeFile(join(cwd, 'docs/0.md'), book(edited))
    await run('--redo', 'failed')
    const { code, stderr } = await run()
    expect(code, stderr).toBe(0)
    const { requests } = simulator.stats()
    await run()
    expect(simulator.stats().requests).toBe(requests)
  } finally {
    await simulator.close()
  }
}

function faultOf(as: string, nth: number): Behaviour {
  const answer = { kind: 'answer', delayMs: 1 } as const
  switch (as) {
    case 'refusal':
    case 'max_tokens':
      return { ...answer, stopReason: as }
    case '400':
      return { kind: 'status', status: 400 }
    default:
      return as === '529 once' && nth > 1 ? answer : { kind: 'status', status: 529 }
  }
}
