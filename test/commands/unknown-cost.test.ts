import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { readAllEvents, startServe } from '../support/start-serve.ts'

/** An API that replies with the name of a model without a known price. */
const unpriced: SimulatorOptions = { script: () => ({ kind: 'answer', delayMs: 1, model: 'llama-9' }) }

async function setting() {
  const cwd = await createFolder({ 'docs/a.md': 'Boats float.', 'docs/b.md': 'Trains do not.' })
  const { env } = await startService(unpriced)
  const run = (...args: string[]) => runInProcess(args, { cwd, env, clockSpeed: 100 })
  return { cwd, run }
}

describe('the cost of a model without a price is unknown, and never $0,', () => {
  it('in the summary of a run, the ledger, JSONL and every report format', async () => {
    const { cwd, run } = await setting()
    const { stderr } = await run('summarize', 'docs', '--report', 'r.json')
    expect(stderr).toMatch(/cost +unknown \(2 without usage or a price/)
    expect(
      (await run('summarize', 'docs', '-o', '-', '--format', 'jsonl')).stdout.match(/"cost_usd":null/g),
    ).toHaveLength(2)
    expect(await readFile(join(cwd, 'summaries/.claude-batch/ledger.jsonl'), 'utf8')).toContain(
      '"cost_usd":null',
    )
    const report = JSON.parse(await readFile(join(cwd, 'r.json'), 'utf8'))
    const sums = [report.totals, ...report.runs, ...Object.values(report.groups).flat()]
    for (const { cost_usd, documents_with_unknown_cost } of sums)
      expect([cost_usd, documents_with_unknown_cost > 0]).toEqual([null, true])
    for (const flags of [
      [],
      ['--group-by', 'model'],
      ['--run', 'last'],
      ['--format', 'md'],
      ['--format', 'html'],
    ]) {
      const { stdout } = await run('report', ...flags)
      expect(stdout).toContain('unknown')
      expect(stdout).not.toContain('$0')
    }
  })

  it('in a batch', async () => {
    const { run } = await setting()
    expect((await run('summarize', 'docs', '--batch')).stderr).toMatch(/cost +unknown/)
  })

  it('in a comparison', async () => {
    const { run } = await setting()
    const { stdout, stderr } = await run('compare', 'docs', '--models', 'haiku,sonnet')
    expect(stdout).toContain('unknown')
    expect(stderr).toMatch(/4 summarized now, for unknown \(4 without/)
    expect(stdout + stderr).not.toContain('$0')
  })

  it('in the metrics of a server and in its last message', async () => {
    const {
      url,
      getStderr,
      post,
      sendSignal: signal,
      exitCode: ended,
    } = await startServe([], { service: unpriced })
    await readAllEvents(await post({ prompt: 'What floats?' }))
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'claude_batch_replies_with_unknown_cost_total 1',
    )
    signal('SIGTERM')
    await ended
    expect(getStderr()).toMatch(/out, unknown \(1 without usage or a price/)
  })

  it('and does not hide the known part of the cost from --confirm-above', async () => {
    const { run } = await setting()
    const args = ['compare', 'docs', '--models', 'haiku,llama-9', '--confirm-above', '0.000001']
    const { code, stderr } = await run(...args)
    expect(code).toBe(2)
    expect(stderr).toMatch(/4 answers will cost about \$0\.\d+ .*, plus requests without a known price/)
  })
})

it('a server reports at its end how many replies were lost', async () => {
  let first = true
  const {
    getStderr,
    post,
    sendSignal: signal,
    exitCode: ended,
  } = await startServe([], {
    service: {
      script: () => {
        if (!first) return { kind: 'answer', delayMs: 1 }
        first = false
        return { kind: 'reset', inBody: true, delayMs: 1 }
      },
    },
  })
  for (let n = 0; n < 2; n++) await readAllEvents(await post({ prompt: 'What floats?' }))
  signal('SIGTERM')
  await ended
  expect(getStderr()).toMatch(/\$0\.0000\d+; 1 response was lost in transit and may be billed too/)
})
