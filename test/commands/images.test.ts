import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const fixtures = resolve(import.meta.dirname, '../../fixtures/kinds')
const fixture = (name: string) => readFile(join(fixtures, name))

/** A PNG whose header claims a size; its pixels are those of a small image. */
async function createLargePng(width: number, height: number): Promise<Buffer> {
  const bytes = await fixture('image.png')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes
}

async function setting(files: Readonly<Record<string, string>> = {}) {
  const cwd = await createFolder({ 'docs/a.md': 'The ferry leaves at seven.\n' })
  for (const [path, name] of Object.entries(files)) await copyFile(join(fixtures, name), join(cwd, path))
  const asked: string[] = []
  const { env, simulator } = await startService({
    script: ({ request }) => {
      asked.push(request.lastText)
      return { kind: 'answer', delayMs: 1 }
    },
  })
  const run = (...args: string[]) => runInProcess(args, { cwd, env })
  return { cwd, env, simulator, asked, run }
}

describe('images', () => {
  it('in a folder are counted, and read only if the user asks for their extensions', async () => {
    const { cwd, run } = await setting({ 'docs/b.png': 'image.png', 'docs/c.jpg': 'image.jpg' })
    expect((await run('summarize', 'docs')).stderr).toMatch(
      /not read: 1 \.jpg, 1 \.png; see docs\/documents\.md/,
    )
    expect(await readdir(join(cwd, 'summaries/docs'))).toEqual(['a.md.summary.md'])
    const more = await run('summarize', 'docs', '--ext', '+png,+jpg')
    expect([more.code, more.stderr]).toEqual([
      0,
      expect.stringContaining('2 summarized, 1 skipped (1 unchanged)'),
    ])
    expect(await readFile(join(cwd, 'summaries/docs/b.png.summary.md'), 'utf8')).toContain(
      '[simulated] [The document is the image that is attached.]',
    )
  })

  it('that are named, match a pattern, or come on stdin are read', async () => {
    const { cwd, env, run } = await setting({ 'docs/b.png': 'image.png', 'docs/c.tif': 'tiff-g3.tif' })
    expect((await run('summarize', 'docs/b.png', 'docs/*.tif')).stderr).toContain('2 summarized')
    const stdin = await runInProcess(['summarize', '-', '-o', '-'], {
      cwd,
      env,
      input: await fixture('image.webp'),
    })
    expect([stdin.code, stdin.stdout]).toEqual([0, expect.stringContaining('[simulated]')])
  })

  it('are in the estimate, in --max-cost, in exact token counts and in batches', async () => {
    const { cwd, simulator, run } = await setting()
    await writeFile(join(cwd, 'docs/page.png'), await createLargePng(1240, 1754))
    const arguments_ = ['summarize', 'docs/page.png']
    await run(...arguments_, '--dry-run', '--report', 'e.json')
    const { input_tokens: expected } = JSON.parse(await readFile(join(cwd, 'e.json'), 'utf8'))
    await run(...arguments_, '--dry-run', '--token-count', 'exact', '--report', 'exact.json')
    const exact = JSON.parse(await readFile(join(cwd, 'exact.json'), 'utf8')).input_tokens.expected
    // A token per 28 × 28 pixels, and the prompt.
    expect(exact).toBeGreaterThan(45 * 63)
    expect(exact).toBeLessThan(45 * 63 + 600)
    expect([expected.low < exact, expected.high > exact]).toEqual([true, true])
    const capped = await run(...arguments_, '--max-cost', '0.001')
    expect([capped.code, capped.stderr]).toEqual([5, expect.stringContaining('stopped at --max-cost')])
    expect(simulator.stats().billed.inputTokens).toBe(0)
    const batch = await runInProcess([...arguments_, '--batch'], {
      cwd,
      env: { ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'k' },
      clockSpeed: 100,
    })
    expect(batch.code).toBe(0)
    const { billed, batchBilled } = simulator.stats()
    expect(billed.inputTokens + batchBilled.inputTokens).toBe(exact)
  })

  it('of one TIFF are one document, in chunks if they do not fit one request', async () => {
    const { cwd, asked, simulator, run } = await setting()
    await mkdir(join(cwd, 'faxes'))
    await writeFile(join(cwd, 'faxes/one.tif'), await fixture('tiff-g4-three-pages.tif'))
    expect((await run('summarize', 'faxes/one.tif')).code).toBe(0)
    expect(asked).toEqual([expect.stringContaining('attached as images of its pages, in their order')])
    expect(simulator.stats().billed.inputTokens).toBeGreaterThan(3 * 15)
    asked.length = 0
    const chunked = ['summarize', 'faxes/one.tif', '--chunk-tokens', '10000', '-o', 'chunked']
    expect((await run(...chunked)).code).toBe(0)
    expect(asked.filter((text) => text.includes('Take notes on this part'))).toHaveLength(2)
    expect((await run(...chunked)).stderr).toMatch(/1 skipped \(1 unchanged\)/)
    asked.length = 0
    expect((await run(...chunked, '--redo', 'all')).code).toBe(0)
    // The PNGs are the same in every run, so that the replies about the chunks are in the cache.
    expect(asked).toHaveLength(1)
  })

  it('are one request each with --chunk-tokens, however small', async () => {
    const { asked, run } = await setting({ 'docs/b.png': 'image.png' })
    expect((await run('summarize', 'docs/b.png', '--chunk-tokens', '1000')).code).toBe(0)
    expect(asked).toHaveLength(1)
  })

  it('have summaries whose language and length are checked, and which are no copies', async () => {
    const { run } = await setting({ 'docs/b.png': 'image.png' })
    const german = await run('summarize', 'docs/b.png', '--language', 'German', '--words', '80')
    expect([german.code, german.stderr]).toEqual([0, expect.stringMatching(/flagged +1.*length/)])
    expect((await run('summarize', 'docs/b.png', '--redo', 'copy')).code).toBe(0)
  })

  it('are compared and judged like other documents', async () => {
    const { run, asked } = await setting({ 'docs/b.png': 'image.png' })
    const result = await run('compare', 'docs/b.png', '--models', 'haiku,sonnet', '--judge', 'opus')
    expect([result.code, result.stderr]).toEqual([0, expect.any(String)])
    expect(asked.filter((text) => text.includes('First summary:'))).toHaveLength(2)
  })

  it('get an error record each with the message of a model that takes none, and the others are summarized', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'The ferry leaves at seven.\n' })
    for (const name of ['image.png', 'image.jpg'])
      await copyFile(join(fixtures, name), join(cwd, 'docs', name))
    const message = 'this model does not support image input'
    const { env } = await startService({
      script: ({ request }) =>
        request.lastText.includes('image')
          ? { kind: 'status', status: 400, type: 'invalid_request_error', message }
          : { kind: 'answer', delayMs: 1 },
    })
    const result = await runInProcess(['summarize', 'docs', '--ext', '+png,+jpg'], { cwd, env })
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('1 summarized, 2 failed')])
    expect(await readFile(join(cwd, 'summaries/docs/image.png.error.txt'), 'utf8')).toContain(
      `ERROR: 400 invalid_request_error: ${message}\n`,
    )
  })
})
