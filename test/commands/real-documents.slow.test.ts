import { execFileSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, runCli, startCli, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const modules = resolve(import.meta.dirname, '../../node_modules')

/** Documents that were not written for this test: the Markdown files of all packages. */
const markdown = execFileSync('find', [modules, '-name', '*.md', '-type', 'f'], {
  encoding: 'utf8',
  maxBuffer: 1e8,
})
  .trimEnd()
  .split('\n')

const everything = ['summarize', modules, '--ext', 'md', '--hidden', '--no-ignore']

describe('every Markdown file under node_modules', () => {
  it('has exactly one summary or error record, and the counts equal the files on disk', async () => {
    const out = await createFolder({})
    const { env, simulator } = await startService({ limits: { rpm: 1e6, itpm: 1e9, otpm: 1e9 } })
    const args = [...everything, '-o', out, '--concurrency', '32']
    const estimated = join(out, 'estimate.json')
    await runInProcess([...args, '--dry-run', '--report', estimated], { cwd: modules, env })
    expect(simulator.stats().requests).toBe(0)
    const { stderr } = await runCli(args, { cwd: modules, env })

    const report =
      /documents +([\d,]+): ([\d,]+) summarized(?:, ([\d,]+) failed)?(?:, ([\d,]+) skipped)?/.exec(stderr)
    const [total, summarized, failed, skipped] = (report ?? [])
      .slice(1)
      .map((count = '0') => Number(count.replaceAll(',', '')))
    expect(total).toBe(markdown.length)
    expect(summarized).toBeGreaterThan(50)
    expect(total).toBe(Number(summarized) + Number(failed) + Number(skipped))

    const written = (await readdir(out, { recursive: true })).filter((name) =>
      /\.(summary\.md|error\.txt)$/.test(name),
    )
    expect(written).toHaveLength(Number(summarized) + Number(failed))
    // Long documents are split into chunks, and equal ones are sent once.
    const reused = Number(/^reused +(\d+)/m.exec(stderr)?.[1] ?? 0)
    expect(simulator.stats().billed.requests).toBeGreaterThanOrEqual(Number(summarized) - reused)
    expect(stderr).not.toContain('Warning')

    // Without a history, this measures the accuracy of the built-in assumptions.
    const { live } = JSON.parse(await readFile(estimated, 'utf8')).cost_usd
    const ledger = await readFile(join(out, '.claude-batch/ledger.jsonl'), 'utf8')
    const billed = ledger
      .split('\n')
      .reduce((sum, line) => sum + ((line && JSON.parse(line).cost_usd) || 0), 0)
    expect(billed).toBeGreaterThan(live.low)
    expect(billed).toBeLessThan(live.high)
    expect(Math.abs(live.expected / billed - 1)).toBeLessThan(0.1)
  })
  it('is counted exactly, except for requests in flight, after two kills and one Ctrl-C', async () => {
    const out = await createFolder({})
    const { env, simulator } = await startService({
      limits: { rpm: 1e6, itpm: 1e9, otpm: 1e9 },
      latency: { medianMs: 40, sigma: 0.3 },
    })
    const slots = 8
    const args = [...everything, '-o', out, '--concurrency', String(slots)]
    for (const [share, how] of [
      [0.2, 'SIGKILL'],
      [0.5, 'SIGKILL'],
      [0.75, 'SIGINT'],
    ] as const) {
      const enough = () => simulator.stats().requests > share * markdown.length
      const { child, ended } = await startCli(args, { cwd: modules, env }, enough)
      child.kill(how)
      expect((await ended).signal).toBe(how)
    }
    // Documents without a summary are empty or not UTF-8.
    const { code, stderr } = await runCli(args, { cwd: modules, env })
    expect([0, 1]).toContain(code)
    expect(stderr).not.toContain('pending')
    const written = (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.summary.md'))

    const ledger = await readFile(join(out, '.claude-batch/ledger.jsonl'), 'utf8')
    const lines = ledger
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    const attempts = lines.reduce((sum, { attempts = 0 }) => sum + attempts, 0)
    const tokens = lines.reduce((sum, { usage }) => sum + (usage?.input_tokens ?? 0), 0)
    const { requests, billed } = simulator.stats()
    expect(attempts).toBeLessThanOrEqual(requests)
    expect(requests - attempts).toBeLessThanOrEqual(2 * slots)
    expect(tokens).toBeLessThanOrEqual(billed.inputTokens)
    expect(written.length).toBe(
      new Set(lines.filter(({ status }) => status === 'summarized').map(({ path }) => path)).size,
    )
    expect(await runInProcess([...args, '-q'], { cwd: modules, env })).toMatchObject({ stdout: '' })
    expect(simulator.stats().requests).toBe(requests)
  })
})
