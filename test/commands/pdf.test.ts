import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { splitPdf } from '../../src/inputs/read/readers/split-pdf.ts'
import { UnreadableError } from '../../src/inputs/read/readers/unreadable-error.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const textual = resolve(import.meta.dirname, '../../fixtures/kinds/libreoffice.pdf')
/** A PDF like a scan: pages without text, each with a different size. */
const scan = (pages: number) => {
  const numbers = Array.from({ length: pages }, (_, n) => n + 3)
  const page = (n: number) => `${n} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 ${n}]>>endobj\n`
  return `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count ${pages}/Kids[${numbers.map((n) => `${n} 0 R`).join(' ')}]>>endobj
${numbers.map(page).join('')}trailer<</Root 1 0 R>>`
}

async function setting() {
  const cwd = await createFolder({ 'docs/scan.pdf': scan(3) })
  await mkdir(join(cwd, 'docs'), { recursive: true })
  await copyFile(textual, join(cwd, 'docs/text.pdf'))
  const { env, simulator } = await startService({})
  const run = (...args: string[]) => runInProcess(['summarize', 'docs', ...args], { cwd, env })
  return { cwd, env, simulator, run }
}

describe('--pdf', () => {
  it('auto sends the text of a PDF, or the PDF itself if it has no text', async () => {
    const { simulator, run } = await setting()
    expect((await run()).code).toBe(0)
    const { inputTokens } = simulator.stats().billed
    expect(inputTokens).toBeGreaterThan(3 * 2350)
    expect(inputTokens).toBeLessThan(5 * 2350)
    expect((await run()).stderr).toMatch(/2 skipped \(2 unchanged\)/)
  })

  it('text never uploads a PDF, and native always does', async () => {
    const { cwd, simulator, run } = await setting()
    const text = await run('--pdf', 'text', '-o', 'text')
    expect([text.code, text.stderr]).toEqual([
      1,
      expect.stringMatching(/docs\/scan\.pdf: no text on its 3 pages; is it a scan\?/),
    ])
    const before = simulator.stats().billed.inputTokens
    expect((await run('--pdf', 'native', '-o', 'native')).code).toBe(0)
    expect(simulator.stats().billed.inputTokens - before).toBeGreaterThan(4 * 2350)
    expect(await readFile(join(cwd, 'native/docs/text.pdf.summary.md'), 'utf8')).toContain('[simulated]')
  })

  it('counts the pages of a PDF in the estimate, in --max-cost and in batches', async () => {
    const { cwd, simulator, run } = await setting()
    await run('--dry-run', '--report', 'e.json')
    const { input_tokens: expected } = JSON.parse(await readFile(join(cwd, 'e.json'), 'utf8'))
    const capped = await run('--max-cost', '0.002')
    expect([capped.code, capped.stderr]).toEqual([5, expect.stringContaining('stopped at --max-cost')])
    expect(
      (
        await runInProcess(['summarize', 'docs', '--batch'], {
          cwd,
          env: { ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'k' },
          clockSpeed: 100,
        })
      ).code,
    ).toBe(0)
    const { billed, batchBilled } = simulator.stats()
    const tokens = billed.inputTokens + batchBilled.inputTokens
    expect(tokens).toBeGreaterThan(expected.low)
    expect(tokens).toBeLessThan(expected.high)
  })

  it('splits a PDF that does not fit one request by pages, always at the same pages', async () => {
    const cwd = await createFolder({ 'docs/scan.pdf': scan(250) })
    const asked: string[] = []
    const { env, simulator } = await startService({
      script: ({ request }) => {
        asked.push(request.lastText)
        return { kind: 'answer', delayMs: 1 }
      },
    })
    const run = (...args: string[]) => runInProcess(['summarize', 'docs', ...args], { cwd, env })
    expect((await run('--model', 'claude-haiku-4-5')).code).toBe(0)
    // Each request has as many pages as fit the context window.
    expect(asked.filter((text) => text.includes('Take notes on this part'))).toHaveLength(4)
    expect(simulator.stats().billed.inputTokens).toBeGreaterThan(250 * 2350)
    expect((await run('--model', 'claude-haiku-4-5')).stderr).toMatch(/1 skipped \(1 unchanged\)/)
    expect((await run('--model', 'claude-haiku-4-5', '--redo', 'all')).code).toBe(0)
    // The chunks are cached; only the final summary is requested again.
    expect(asked).toHaveLength(6)
  })

  it('splits a PDF by bytes, too, and reports a page or a file that cannot be split', async () => {
    const base64 = Buffer.from(scan(8)).toString('base64')
    const one = await splitPdf({ base64, pages: 8 }, { pages: 600, bytes: 1_000_000 })
    const size = Buffer.from(one[0]?.base64 ?? '', 'base64').length
    const parts = await splitPdf({ base64, pages: 8 }, { pages: 600, bytes: size * 0.8 })
    expect(parts.map(({ pages }) => pages)).toEqual([4, 4])
    expect(await splitPdf({ base64, pages: 8 }, { pages: 600, bytes: size * 0.8 })).toEqual(parts)
    await expect(splitPdf({ base64, pages: 8 }, { pages: 600, bytes: 10 })).rejects.toThrow(
      'its page 1 alone has more than',
    )
    const broken = Buffer.from('%PDF-1.4 nothing').toString('base64')
    await expect(splitPdf({ base64: broken, pages: 700 }, { pages: 600, bytes: 1e6 })).rejects.toThrow(
      UnreadableError,
    )
  })
})
