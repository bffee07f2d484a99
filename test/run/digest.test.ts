import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const note = (n: number) =>
  `# Note ${n}\n\nThe ferry number ${n} sails at ${n} in the morning, said the board.\n`
const files = Object.fromEntries(
  Array.from({ length: 12 }, (_, n) => [`docs/${n < 8 ? 'ferry' : 'mill'}/${n}.md`, note(n)]),
)

async function setting() {
  const cwd = await createFolder(files)
  const asked: string[] = []
  const { env, simulator } = await startService({
    batches: { durationMs: 60_000 },
    script: ({ request }) => {
      asked.push(request.lastText)
      return { kind: 'answer', delayMs: 1 }
    },
  })
  const run = (...args: string[]) =>
    runInProcess(['summarize', 'docs', '--digest', 'all.md', ...args], { cwd, env })
  const digests = () => asked.filter((text) => text.includes('Write an overview of these documents'))
  return { cwd, env, simulator, asked, run, digests }
}

describe('--digest', () => {
  it('writes a digest of all summaries with links to them, and the report includes its cost', async () => {
    const { cwd, env, simulator, run, digests } = await setting()
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('wrote the digest of 12 summaries in all.md\n'),
    ])
    const [question = ''] = digests()
    for (const path of Object.keys(files))
      expect(question).toContain(`## [${path}](<summaries/${path}.summary.md>)\n\n[simulated] `)
    expect(await readFile(join(cwd, 'all.md'), 'utf8')).toMatch(/^\[simulated\] /)
    const { stdout } = await runInProcess(['report', '--format', 'json'], { cwd, env })
    expect(JSON.parse(stdout).totals.input_tokens).toBe(simulator.stats().billed.inputTokens)
  })

  it('requests a digest again only after a summary changed, and then only the chunk with that summary', async () => {
    const { cwd, run, digests, asked } = await setting()
    await run()
    expect((await run()).stderr).toContain('no change in the digest of 12 summaries in all.md')
    expect(digests()).toHaveLength(1)
    const small = ['--digest', 'parts.md', '--chunk-tokens', '1200']
    await run(...small)
    const parts = digests().length - 1
    expect(parts).toBeGreaterThan(2)
    await writeFile(join(cwd, 'docs/mill/11.md'), note(11).replace('sails', 'has never sailed'))
    const before = asked.length
    await run(...small)
    // The document, the chunk with its summary, and the final digest.
    expect(asked.length - before).toBeLessThanOrEqual(3)
    expect(await readFile(join(cwd, 'parts.md'), 'utf8')).toMatch(/^\[simulated\] /)
  })

  it('includes the earlier summary of a document that fails now, and no document without one', async () => {
    const { cwd, run, digests } = await setting()
    await run()
    await writeFile(join(cwd, 'docs/mill/11.md'), Buffer.from([0x74, 0xff, 0x00, 0xfe]))
    await writeFile(join(cwd, 'docs/mill/new.pdf'), 'not a PDF')
    const named = ['docs/mill/11.md', '--digest', 'later.md']
    const { code, stderr } = await run(...named)
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('wrote the digest of 12 summaries in later.md'),
    ])
    expect(digests().at(-1)).toContain('docs/mill/11.md')
    expect(digests().at(-1)).not.toContain('new.pdf')
  })

  it('writes a digest per folder next to the summaries with --digest-per folder', async () => {
    const { cwd, run } = await setting()
    const { stderr } = await run('--digest', 'digest.md', '--digest-per', 'folder')
    expect(stderr).toContain('wrote the digest of 8 summaries in summaries/docs/ferry/digest.md\n')
    expect(stderr).toContain('wrote the digest of 4 summaries in summaries/docs/mill/digest.md\n')
    expect(await readFile(join(cwd, 'summaries/docs/mill/digest.md'), 'utf8')).toMatch(/^\[simulated\] /)
    expect(await run('--digest', 'x/digest.md', '--digest-per', 'folder')).toMatchObject({ code: 2 })
  })

  it('rejects a file of the user before any request, and never summarizes a digest', async () => {
    const { cwd, run, digests, asked } = await setting()
    await writeFile(join(cwd, 'mine.md'), 'My own words.\n')
    const mine = await run('--digest', 'mine.md')
    expect([mine.code, mine.stderr, asked.length]).toEqual([
      2,
      expect.stringContaining('--digest mine.md: the file exists and is not a digest of this output folder'),
      0,
    ])
    expect(await readFile(join(cwd, 'mine.md'), 'utf8')).toBe('My own words.\n')
    expect((await run('--digest', 'mine.md', '--force')).code).toBe(0)
    expect(await readFile(join(cwd, 'mine.md'), 'utf8')).toMatch(/^\[simulated\] /)
    const before = digests().length
    await run('--digest', 'docs/all.md')
    const again = await run('--digest', 'docs/all.md')
    expect(again.stderr).toMatch(/documents +13: 0 summarized, 13 skipped/)
    expect(digests()).toHaveLength(before + 1)
  })

  it('writes a digest that later runs skip among the documents, even without the flag', async () => {
    const { cwd, env, run, digests, asked } = await setting()
    const report = ['--report', 'docs/report.md']
    const args = ['--digest', 'docs/all.md', ...report]
    expect(await run(...args)).toMatchObject({ code: 0 })
    const before = asked.length
    const plain = await runInProcess(['summarize', 'docs'], { cwd, env })
    expect([plain.code, asked.length]).toEqual([0, before])
    expect(plain.stderr).toMatch(/2 output files of earlier runs: docs\/all.md, docs\/report.md/)
    const dry = await runInProcess(['summarize', 'docs', '--dry-run'], { cwd, env })
    expect([dry.code, dry.stderr + dry.stdout]).toEqual([
      0,
      expect.stringMatching(/2 output files of earlier runs/),
    ])
    expect(await run(...args)).toMatchObject({ code: 0 })
    expect([asked.length, digests().length]).toEqual([before, 1])
  })

  it('keeps a digest that was edited by hand, and updates the summaries', async () => {
    const { cwd, run, digests } = await setting()
    await run()
    await writeFile(join(cwd, 'all.md'), 'My own words.\n')
    await writeFile(join(cwd, 'docs/mill/11.md'), note(11).replace('sails', 'has never sailed'))
    const { code, stderr } = await run()
    expect([code, stderr]).toEqual([1, expect.stringContaining('all.md was edited by hand; ')])
    expect(stderr).toContain('documents  12: 1 summarized')
    expect(await readFile(join(cwd, 'all.md'), 'utf8')).toBe('My own words.\n')
    expect(digests()).toHaveLength(1)
  })

  it('replaces no file of the user in a folder, and follows no link there', async () => {
    const { cwd, run, asked } = await setting()
    const args = ['--digest', 'digest.md', '--digest-per', 'folder']
    await mkdir(join(cwd, 'summaries/docs/mill'), { recursive: true })
    const file = join(cwd, 'summaries/docs/mill/digest.md')
    await writeFile(file, 'Mine.\n')
    const foreign = 'summaries/docs/mill/digest.md: the file exists and is not a digest'
    expect(await run(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(foreign) })
    await rm(file)
    await symlink('/dev/null', file)
    for (const more of [[], ['--force']])
      expect(await run(...args, ...more)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('this is not a regular file'),
      })
    expect(asked).toHaveLength(0)
    await rm(file)
    expect(await run(...args)).toMatchObject({ code: 0 })
    expect(await run(...args)).toMatchObject({ code: 0 })
    for (const name of ['x/digest.md', '..', '-', 'a.summary.md'])
      expect(await run('--digest', name, '--digest-per', 'folder')).toMatchObject({ code: 2 })
  })

  it('writes to a device', async () => {
    const { run } = await setting()
    const { code, stderr } = await run('--digest', '/dev/stderr')
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^\[simulated\] /m)])
  })

  it('counts toward --max-cost, and writes no digest if the run ends early', async () => {
    const { run, simulator, digests } = await setting()
    const first = await run('--max-cost', '0.001')
    expect([first.code, digests()]).toEqual([5, []])
    const { code, stderr } = await run('--max-cost', '0.0019', '--concurrency', '1')
    expect([code, stderr]).toEqual([5, expect.stringContaining('stopped at --max-cost')])
    const { inputTokens, outputTokens } = simulator.stats().billed
    expect((inputTokens * 0.1 + outputTokens * 0.5) / 1e6).toBeLessThanOrEqual(0.001 + 0.0019)
  })

  it('reports that no digest is written while documents are in a batch or outside the sample', async () => {
    const { cwd, env, run, digests } = await setting()
    await runInProcess(['summarize', 'docs/ferry', '--batch', '--detach'], { cwd, env })
    const waiting = await run('-q')
    expect(waiting.code).toBe(75)
    expect(waiting.stderr).toMatch(/--digest all\.md was not written, because 7 documents are still pending/)
    await writeFile(join(cwd, 'docs/mill/new.md'), note(99))
    await writeFile(join(cwd, 'docs/mill/newer.md'), note(100))
    await writeFile(join(cwd, 'docs/mill/newest.md'), note(101))
    const sampled = await runInProcess(['summarize', 'docs/mill', '--digest', 'all.md', '--sample', '2'], {
      cwd,
      env,
    })
    expect(sampled.stderr).toMatch(/--digest all\.md was not written, because 1 document is still pending/)
    expect(digests()).toEqual([])
    // The batch contains only documents of another folder, so this run does not wait for it.
    const { code, stderr } = await runInProcess(['summarize', 'docs/mill', '--digest', 'all.md'], {
      cwd,
      env,
    })
    expect([code, stderr]).toEqual([75, expect.stringContaining('wrote the digest of 7 summaries')])
  })

  it('is a usage error with -o -, because a digest needs an output folder', async () => {
    const { cwd, env } = await setting()
    const bad = await runInProcess(['summarize', 'docs', '--digest', 'a.md', '-o', '-'], { cwd, env })
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('--digest needs an output folder')])
  })
})
