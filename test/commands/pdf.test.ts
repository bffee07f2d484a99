import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { splitPdf } from '../../src/inputs/read/readers/split-pdf.ts'
import { UnreadableError } from '../../src/inputs/read/readers/unreadable-error.ts'
import { createPdf, image, show, toStream } from '../support/pdf.ts'
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

  it('auto sends the text of a PDF and its few scanned pages in one request, or in chunks', async () => {
    const textPages = Array.from({ length: 6 }, (_, n) => ({
      content: Array.from({ length: 60 }, (_, line) =>
        show(
          `Page ${n + 1}, line ${line + 1}: the ferry leaves at seven from the northern harbour.`,
          50,
          780 - 12 * line,
        ),
      ).join(''),
    }))
    const cwd = await createFolder({})
    await mkdir(join(cwd, 'docs'))
    await writeFile(
      join(cwd, 'docs/mixed.pdf'),
      createPdf([...textPages, { content: image }, { content: image }]),
    )
    const asked: string[] = []
    const { env, simulator } = await startService({
      script: ({ request }) => {
        asked.push(request.lastText)
        return { kind: 'answer', delayMs: 1 }
      },
    })
    const run = (...args: string[]) => runInProcess(['summarize', 'docs', ...args], { cwd, env })
    expect((await run('--pdf', 'auto')).code).toBe(0)
    expect(asked).toEqual([
      expect.stringMatching(/Page 1, line 1[\s\S]+\[page 8: no text; it is page 2 of the attached PDF\]/),
    ])
    expect(simulator.stats().billed.inputTokens).toBeGreaterThan(2 * 2350)
    asked.length = 0
    expect((await run('--chunk-tokens', '2000', '--redo', 'all')).code).toBe(0)
    const chunks = asked.filter((text) => text.includes('Take notes on this part'))
    expect(chunks.length).toBeGreaterThan(3)
    for (const text of ['Page 1, line 1:', 'Page 6, line 60:', 'pages of the document that have no text'])
      expect(chunks.filter((chunk) => chunk.includes(text))).toHaveLength(1)
  })

  it('splits a PDF without the images of other pages, even if pages share their resources or have links', async () => {
    const count = 20
    const imageObjects = Array.from({ length: count }, (_, n) =>
      toStream(
        '/Type/XObject/Subtype/Image/Width 100/Height 100/BitsPerComponent 8/ColorSpace/DeviceGray',
        String(n % 10).repeat(10_000),
      ),
    )
    const names = imageObjects.map((_, n) => `/Scan${n} ${10 + n} 0 R`).join(' ')
    const firstPage = 10 + count
    const bytes = createPdf(
      imageObjects.map((_, n) => ({
        content: `q 600 0 0 800 0 0 cm /Scan${n} Do Q`,
        annotations: [`/Subtype/Link/Rect[0 0 9 9]/Dest[${firstPage + 2 * ((n + 1) % count)} 0 R/Fit]`],
      })),
      { objects: imageObjects, sharedResources: `/XObject<<${names}>>` },
    )
    const parts = await splitPdf(
      { type: 'pdf', base64: bytes.toString('base64'), pages: count },
      { pages: 5, bytes: 1e6 },
    )
    const sizes = parts.map(({ base64 }) => base64.length * 0.75)
    expect(sizes).toHaveLength(4)
    for (const size of sizes) expect(size).toBeLessThan(5 * 10_000 + 10_000)
    for (const size of sizes) expect(size).toBeGreaterThan(5 * 10_000)
  })

  it('splits a PDF by bytes, too, and reports a page or a file that cannot be split', async () => {
    const base64 = Buffer.from(scan(8)).toString('base64')
    const one = await splitPdf({ type: 'pdf', base64, pages: 8 }, { pages: 600, bytes: 1_000_000 })
    const size = Buffer.from(one[0]?.base64 ?? '', 'base64').length
    const parts = await splitPdf({ type: 'pdf', base64, pages: 8 }, { pages: 600, bytes: size * 0.8 })
    expect(parts.map(({ pages }) => pages)).toEqual([4, 4])
    expect(await splitPdf({ type: 'pdf', base64, pages: 8 }, { pages: 600, bytes: size * 0.8 })).toEqual(
      parts,
    )
    await expect(splitPdf({ type: 'pdf', base64, pages: 8 }, { pages: 600, bytes: 10 })).rejects.toThrow(
      'its page 1 alone has more than',
    )
    const broken = Buffer.from('%PDF-1.4 nothing').toString('base64')
    await expect(
      splitPdf({ type: 'pdf', base64: broken, pages: 700 }, { pages: 600, bytes: 1e6 }),
    ).rejects.toThrow(UnreadableError)
    const encrypted = createPdf([{ content: image }], {
      objects: ['<</Filter/Standard/V 1/R 2/P -4/O()/U()>>'],
      trailer: '/Encrypt 10 0 R',
    }).toString('base64')
    await expect(
      splitPdf({ type: 'pdf', base64: encrypted, pages: 1 }, { pages: 600, bytes: 1e6 }),
    ).rejects.toThrow('cannot be cut into parts: it is encrypted')
  })
})
