import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chapterChunkFlags, makeBook, makeChapter } from '../support/book.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

describe('a document that does not fit one request', () => {
  it('is split into chunks that contain every character once, and their notes are summarized', async () => {
    const cwd = await createFolder({ 'docs/book.md': makeBook(), 'docs/short.md': 'A short note.\n' })
    const asked: string[] = []
    const { env } = await startService({
      script: ({ request }) => {
        asked.push(request.lastText)
        return { kind: 'answer', delayMs: 5 }
      },
    })
    const { code, stderr } = await runInProcess(['summarize', 'docs', ...chapterChunkFlags], { cwd, env })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/documents +2: 2 summarized/)])
    const parts = asked.filter((text) => text.includes('Take notes on this part.'))
    const contents = parts.map((text) => /<document-\w+>\n([\s\S]*)\n<\/document-/.exec(text)?.[1] ?? '')
    const inOrder = contents.sort((a, b) => makeBook().indexOf(a) - makeBook().indexOf(b))
    expect(inOrder.join('')).toBe(makeBook())
    expect(parts.length).toBeGreaterThan(8)
    const last = asked.at(-1) ?? ''
    expect(last).toContain(`notes on the`)
    expect(last).toContain('Summarize this document. Start with')
    expect(await readFile(join(cwd, 'summaries/docs/book.md.summary.md'), 'utf8')).toMatch(/^\[simulated\] /)
  })

  it('sends only the edited chunk and the final summary again after an edit', async () => {
    const cwd = await createFolder({ 'docs/book.md': makeBook() })
    const { env, simulator } = await startService({})
    await runInProcess(['summarize', 'docs', ...chapterChunkFlags], { cwd, env })
    const before = simulator.stats().requests
    await runInProcess(['summarize', 'docs', ...chapterChunkFlags], { cwd, env })
    expect(simulator.stats().requests).toBe(before)
    await writeFile(join(cwd, 'docs/book.md'), makeBook(9))
    expect((await runInProcess(['summarize', 'docs', ...chapterChunkFlags], { cwd, env })).code).toBe(0)
    expect(simulator.stats().requests - before).toBeLessThanOrEqual(2)
  })

  it('keeps finished chunks if another chunk fails, and counts each cost once', async () => {
    const cwd = await createFolder({ 'docs/book.md': makeBook() })
    let refusing = true
    const { env, simulator } = await startService({
      script: ({ request }) =>
        refusing && request.lastText.includes('# Chapter 7\n')
          ? { kind: 'answer', delayMs: 5, stopReason: 'refusal' }
          : { kind: 'answer', delayMs: 5 },
    })
    const first = await runInProcess(['summarize', 'docs', ...chapterChunkFlags], { cwd, env })
    expect([first.code, first.stderr]).toEqual([
      1,
      expect.stringMatching(/book\.md: chunk \d+ of \d+: the model declined/),
    ])
    const before = simulator.stats().requests
    refusing = false
    const args = ['summarize', 'docs', ...chapterChunkFlags, '--redo', 'failed']
    expect((await runInProcess(args, { cwd, env })).code).toBe(0)
    // The failed chunk, chunks that were not finished, and the final summary.
    expect(simulator.stats().requests - before).toBeLessThanOrEqual(3)
    expect(await tokensIn(cwd)).toBe(simulator.stats().billed.inputTokens)
  })

  it('is merged on several levels if its notes do not fit one request', async () => {
    const long = Array.from({ length: 90 }, (_, n) => makeChapter(n + 1)).join('')
    const cwd = await createFolder({ 'docs/book.md': long })
    const asked: string[] = []
    const { env } = await startService({
      script: ({ request }) => {
        asked.push(request.lastText)
        return {
          kind: 'answer',
          delayMs: 1,
          content: [{ type: 'text', text: `${asked.length} notes. `.repeat(90) }],
        }
      },
    })
    expect((await runInProcess(['summarize', 'docs', ...chapterChunkFlags], { cwd, env })).code).toBe(0)
    const merges = asked.filter((text) => text.includes('Merge these notes.'))
    expect(merges.length).toBeGreaterThan(20)
    expect(asked.filter((text) => text.includes('Summarize this document'))).toHaveLength(1)
    for (const text of asked) expect(text.length).toBeLessThan(6000)
  })

  it('is included in the estimate, and its chunks never exceed --max-cost', async () => {
    const cwd = await createFolder({ 'docs/book.md': makeBook() })
    const { env, simulator } = await startService({})
    const dry = await runInProcess(
      ['summarize', 'docs', ...chapterChunkFlags, '--dry-run', '-v', '--report', 'e.json'],
      {
        cwd,
        env,
      },
    )
    expect(dry.stderr).toMatch(/docs\/book\.md: would be summarized in \d+ chunks, \d+ characters of prompt/)
    const estimate = JSON.parse(await readFile(join(cwd, 'e.json'), 'utf8'))
    expect(estimate.documents.pending).toBe(1)
    const capped = await runInProcess(['summarize', 'docs', ...chapterChunkFlags, '--max-cost', '0.0025'], {
      cwd,
      env,
    })
    expect([capped.code, capped.stderr]).toEqual([
      5,
      expect.stringContaining('stopped at --max-cost $0.0025'),
    ])
    const done = await runInProcess(['summarize', 'docs', ...chapterChunkFlags], { cwd, env })
    expect(done.code).toBe(0)
    const { inputTokens } = simulator.stats().billed
    expect(inputTokens).toBeGreaterThan(estimate.input_tokens.low)
    expect(inputTokens).toBeLessThan(estimate.input_tokens.high)
    expect(await tokensIn(cwd)).toBe(inputTokens)
  })

  it('is sent live with --batch, while the other documents are sent in a batch', async () => {
    const cwd = await createFolder({
      'docs/book.md': makeBook(),
      'docs/a.md': 'A note.\n',
      'docs/b.md': 'Another.\n',
    })
    const { env, simulator } = await startService({ batches: { durationMs: 100 } })
    const { code, stderr } = await runInProcess(['summarize', 'docs', ...chapterChunkFlags, '--batch'], {
      cwd,
      env,
      clockSpeed: 100,
    })
    expect([code, stderr]).toEqual([0, expect.stringMatching(/3 summarized/)])
    expect(simulator.stats().batchBilled.requests).toBe(1)
  })

  it('is not split if it fits one request at the lowest price tier of the model', async () => {
    const cwd = await createFolder({ 'docs/book.md': 'The ferry sails at nine. '.repeat(12_000) })
    const { env, simulator } = await startService({})
    const run = async (...args: string[]) => {
      const before = simulator.stats().requests
      expect((await runInProcess(['summarize', 'docs', '--redo', 'all', ...args], { cwd, env })).code).toBe(0)
      return simulator.stats().requests - before
    }
    // 300,000 characters: Haiku costs five times as much for prompts over 100,000 tokens.
    expect(await run()).toBeGreaterThan(2)
    expect(await run('--chunk-tokens', '900000')).toBe(1)
    expect(await run('--model', 'sonnet')).toBe(1)
  })

  it('is not split by a --chunk-tokens value that is too small, which is a usage error', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'A note.\n' })
    const { env } = await startService({})
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--chunk-tokens', '10'], { cwd, env })
    expect([code, stderr]).toEqual([2, expect.stringContaining('--chunk-tokens')])
  })
})

/** The billed input tokens according to the ledger. */
async function tokensIn(cwd: string): Promise<number> {
  const { stdout } = await runInProcess(['report', 'summaries', '--format', 'json'], { cwd })
  return (JSON.parse(stdout) as { totals: { input_tokens: number } }).totals.input_tokens
}
