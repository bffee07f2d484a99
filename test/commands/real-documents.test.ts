import { execFileSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderWith, runCli, serviceFor } from '../support/run-cli.ts'

const modules = resolve(import.meta.dirname, '../../node_modules')

/** Documents nobody wrote for this tool: the Markdown that comes with the packages. */
const markdown = execFileSync('find', [modules, '-name', '*.md', '-type', 'f'], {
  encoding: 'utf8',
  maxBuffer: 1e8,
})
  .trimEnd()
  .split('\n')

describe('every Markdown file under node_modules', () => {
  it('gets exactly one record, and the counts equal the files on disk', async () => {
    const out = await folderWith({})
    const { env, simulator } = await serviceFor({ limits: { rpm: 1e6, itpm: 1e9, otpm: 1e9 } })
    const args = [
      'summarize',
      modules,
      '--ext',
      'md',
      '--hidden',
      '--no-ignore',
      '-o',
      out,
      '--concurrency',
      '32',
    ]
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
    expect(simulator.stats().billed.requests).toBe(summarized)
    expect(stderr).not.toContain('Warning')
  }, 60_000)
})
