import { describe, expect, it } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const count = 60
const files = Object.fromEntries(
  Array.from({ length: count }, (_, n) => [
    `docs/${n}.md`,
    `# Document ${n}\n\n${'The harbour board met about the channel, and decided nothing at all. '.repeat(1 + ((n * n) % 40))}\n`,
  ]),
)
/** One request in ten fails with an error that is not billed. */
const refused = { '529': 0.06, '500': 0.04 }
/** One reply in ten is lost; the last two kinds are billed. */
const lost = { reset: 0.03, 'reset-in-body': 0.04, truncate: 0.03 }

/** Cost in USD at list prices; all prompts of these tests are in the lower price tier. */
const bill = ({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }) =>
  (inputTokens * 0.1 + outputTokens * 0.5) / 1e6

async function summarize(
  cap: number | undefined,
  pool: number,
  faults: SimulatorOptions['faults'] = refused,
) {
  const cwd = await createFolder(files)
  const { env, simulator } = await startService({ faults, seed: 7, latency: { medianMs: 2, sigma: 0.5 } })
  const args = ['summarize', 'docs', '--concurrency', String(pool), '--max-tokens', '200', '--retries', '10']
  const capped = cap === undefined ? [] : ['--max-cost', cap.toFixed(9)]
  const { code, stderr } = await runInProcess([...args, ...capped], { cwd, env, random: () => 0 })
  const { billed, requests } = simulator.stats()
  return { code, stderr, billed: bill(billed), requests, cwd, env }
}

/** The total cost without a cap, by concurrency and faults; each is measured once. */
const whole = new Map<string, Promise<number>>()
function wholeCost(pool: number, faults: SimulatorOptions['faults'] = refused): Promise<number> {
  const name = JSON.stringify([pool, faults])
  const cost = whole.get(name) ?? summarize(undefined, pool, faults).then(({ billed }) => billed)
  whole.set(name, cost)
  return cost
}

/** Upper bound of the cost of one request in these tests (USD). */
const worst = (4000 * 0.1 + 200 * 0.5 + 500 * 0.1) * 1.1e-6

describe('--max-cost', () => {
  it.each([
    [0.01, 1, 'refused', refused],
    [0.01, 64, 'refused', refused],
    [0.37, 1, 'refused', refused],
    [0.37, 64, 'refused', refused],
    [0.99, 1, 'refused', refused],
    [0.99, 64, 'refused', refused],
    [0.37, 8, 'lost', lost],
    [0.99, 8, 'lost', lost],
  ])(
    'of %f of the total cost is never exceeded with %i requests in flight, of which a tenth is %s',
    async (share, pool, _, faults) => {
      const cap = share * (await wholeCost(pool, faults))
      const { code, stderr, billed } = await summarize(cap, pool, faults)
      expect(billed).toBeLessThanOrEqual(cap)
      // A lost reply counts as its worst case.
      const withoutAnswer = Number(/(\d+) repl(?:y was|ies were) lost/.exec(stderr)?.[1] ?? 0)
      expect(cap - billed).toBeLessThan((pool + withoutAnswer) * worst)
      expect(code).toBe(5)
      expect(stderr).toMatch(/budget +\$0\.\d+, \$0/)
      expect(stderr).toMatch(/\d+ pending/)
      expect(stderr).toMatch(/stopped at --max-cost .*; the same command continues with the rest\n$/)
    },
  )

  it('of 0 sends no request', async () => {
    const { code, requests } = await summarize(0, 8)
    expect(code).toBe(5)
    expect(requests).toBe(0)
  })

  it('applies to each run separately, so the next run finishes the rest', async () => {
    const cap = 0.5 * (await wholeCost(4))
    const { cwd, env } = await summarize(cap, 4)
    const rest = ['summarize', 'docs', '--max-tokens', '200', '--retries', '10', '--max-cost', '1']
    const { code, stderr } = await runInProcess(rest, { cwd, env })
    expect(code).toBe(0)
    expect(stderr).toMatch(/skipped \(.*unchanged/)
  })

  it('is a usage error for a model without a known price', async () => {
    const cwd = await createFolder({ 'a.md': 'The harbour board met.' })
    const script = () => ({ kind: 'answer', delayMs: 1, model: 'llama-9' }) as const
    const { env, simulator } = await startService({ script })
    const run = (...more: string[]) =>
      runInProcess(['summarize', 'a.md', '--model', 'llama-9', '--max-cost', '1', ...more], { cwd, env })
    expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('--prices llama-9=IN/OUT') })
    expect(simulator.stats().requests).toBe(0)
  })
})

describe('--prices', () => {
  it('sets the price of a model', async () => {
    const cwd = await createFolder({
      'a.md': 'The harbour board met.',
      'claude-batch.yaml': 'prices:\n  haiku: 100/0\n',
    })
    const { env, simulator } = await startService({})
    const { stderr } = await runInProcess(['summarize', 'a.md'], { cwd, env })
    const { inputTokens } = simulator.stats().billed
    expect(stderr).toContain(`cost       $${(inputTokens * 1e-4).toFixed(4).replace(/0+$/, '')}`)
  })

  it.each(['llama', 'llama=', 'llama=1', '=1/2', 'llama=1/2/3', 'llama=-1/2', 'llama=1e9/2', 'llama=$1/$2'])(
    'rejects %j',
    async (text) => {
      const cwd = await createFolder({ 'a.md': 'text' })
      const { code, stderr } = await runInProcess(['summarize', 'a.md', '--prices', text], { cwd, env: {} })
      expect(code).toBe(2)
      expect(stderr).toContain(
        '--prices: expected a model and its prices in USD per million input and output tokens',
      )
    },
  )
})

describe('a model that will retire', () => {
  it('causes a warning before any request', async () => {
    const cwd = await createFolder({ 'a.md': 'text' })
    const { env } = await startService({})
    const { stderr } = await runInProcess(['summarize', 'a.md', '--model', 'claude-sonnet-4-5'], { cwd, env })
    expect(stderr).toMatch(
      /claude-batch: claude-sonnet-4-5 retire(s|d) on 2026-11-30.*; use claude-sonnet-5-5\n/,
    )
    const retired = await runInProcess(
      ['summarize', 'a.md', '--model', 'claude-3-haiku-20240307', '-o', 'other'],
      {
        cwd,
        env,
      },
    )
    expect(retired.code).toBe(4)
    expect(retired.stderr).toContain('claude-3-haiku-20240307 retired on 2026-04-20; use claude-haiku-5-5\n')
  })
})

describe('--max-cost with --batch and a long document', () => {
  const chapter = (n: number) => `# Chapter ${n}\n\n${'Of ports and weather. '.repeat(80)}\n\n`
  const documents = {
    ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`docs/${n}.md`, `Note ${n}.\n`])),
    'docs/book.md': [1, 2, 3, 4].map(chapter).join(''),
  }
  // The cap is less than the worst case of the batch and the long document together.
  const args = ['summarize', 'docs', '--batch', '--chunk-tokens', '1600', '--max-cost', '0.0042']

  it('sends the long document after the actual cost of the batch is known', async () => {
    const cwd = await createFolder(documents)
    const { env, simulator } = await startService({ batches: { durationMs: 50 } })
    const { code, stderr } = await runInProcess(args, { cwd, env, clockSpeed: 100 })
    expect([code, stderr]).toEqual([0, expect.stringContaining('11 summarized')])
    const { billed, batchBilled } = simulator.stats()
    expect(bill(billed) + bill(batchBilled) / 2).toBeLessThan(0.0042)
  })

  it('leaves the long document to the next run with --detach', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startService({ batches: { durationMs: 50 } })
    const { code, stderr } = await runInProcess([...args, '--detach'], { cwd, env, clockSpeed: 100 })
    expect([code, stderr]).toEqual([
      5,
      expect.stringMatching(
        /stopped at --max-cost .* is spent, \$0\.\d+ is reserved for requests in batches, and the next/,
      ),
    ])
    const next = await runInProcess(args, { cwd, env, clockSpeed: 100 })
    expect([next.code, next.stderr]).toEqual([0, expect.stringMatching(/documents +11: \d+ summarized/)])
  })
})
