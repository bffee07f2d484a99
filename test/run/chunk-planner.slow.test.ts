import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { faulty } from '../faults/invariants.ts'
import { chapterChunkFlags, makeBook } from '../support/book.ts'
import { bin, createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

describe('a document that does not fit one request', () => {
  it.each([
    ['', {}],
    [' on a slow disk', faulty({ slowMs: 150, op: 'sync', path: 'chunk-(cache|costs)\\.jsonl$' })],
  ])('continues with the finished chunks after a crash and counts their cost%s', async (_disk, more) => {
    const cwd = await createFolder({ 'docs/book.md': makeBook() })
    let [asked, kill] = [0, () => {}]
    const { env, simulator } = await startService({
      script: () => {
        if (++asked === 14) kill()
        return { kind: 'answer', delayMs: 30 }
      },
    })
    const args = [bin, 'summarize', 'docs', ...chapterChunkFlags, '--concurrency', '2']
    const child = spawn(process.execPath, args, { cwd, env: { ...env, ...more } })
    kill = () => child.kill('SIGKILL')
    await once(child, 'close')
    expect(child.signalCode).toBe('SIGKILL')
    const before = simulator.stats().requests
    const { code } = await runInProcess(['summarize', 'docs', ...chapterChunkFlags], { cwd, env })
    expect(code).toBe(0)
    const { requests, billed } = simulator.stats()
    // 24 chunks and the summary of all; requests that were in flight may be sent and billed again.
    const inFlight = 2
    expect(requests - before).toBeLessThanOrEqual(25 - before + inFlight)
    const lost = billed.inputTokens - (await tokensIn(cwd))
    expect(lost).toBeLessThanOrEqual(inFlight * 1600)
  })
})

/** The billed input tokens according to the ledger. */
async function tokensIn(cwd: string): Promise<number> {
  const { stdout } = await runInProcess(['report', 'summaries', '--format', 'json'], { cwd })
  return (JSON.parse(stdout) as { totals: { input_tokens: number } }).totals.input_tokens
}
