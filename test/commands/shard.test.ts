import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInShard } from '../../src/core/document/shard.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

describe('--shard', () => {
  it('assigns every document to exactly one shard', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 50 }), (path, of) => {
        const parts = Array.from({ length: of }, (_, n) => n + 1).filter((part) =>
          isInShard(path, { index: part, count: of }),
        )
        expect(parts).toHaveLength(1)
      }),
    )
    const sizes = [1, 2, 3, 4, 5].map(
      (part) =>
        Array.from({ length: 5000 }, (_, n) => `docs/${n}.md`).filter((path) =>
          isInShard(path, { index: part, count: 5 }),
        ).length,
    )
    expect(Math.min(...sizes)).toBeGreaterThan(900)
  })

  it('has no advice about --ext for a shard without documents', async () => {
    const cwd = await createFolder({ 'docs/1.md': 'A note on ferries.' })
    const stderr = await Promise.all(
      ['1/2', '2/2'].map(async (shard) => {
        const args = ['summarize', 'docs', '--simulate', '--shard', shard, '-o', `out${shard[0]}`]
        return (await runInProcess(args, { cwd })).stderr
      }),
    )
    expect(stderr.join('')).toContain('claude-batch: no documents in this shard\n')
    expect(stderr.join('')).not.toContain('--ext')
  })

  it('lets two machines summarize each document once, and one report covers both', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, n) => [`docs/${n}.md`, `Note ${n} on ferries.`]),
    )
    const cwd = await createFolder(files)
    const { env, simulator } = await startService({})
    const run = (...args: string[]) => runInProcess(args, { cwd, env })
    for (const part of [1, 2])
      expect((await run('summarize', 'docs', '-o', `out${part}`, '--shard', `${part}/2`)).code).toBe(0)
    expect(simulator.stats().requests).toBe(12)
    const count = async (out: string) => (await readdir(join(cwd, out, 'docs'))).length
    expect((await count('out1')) + (await count('out2'))).toBe(12)

    const report = JSON.parse((await run('report', 'out1', '--merge', 'out2', '--format', 'json')).stdout)
    const { billed } = simulator.stats()
    expect(report.totals).toMatchObject({
      summarized: 12,
      input_tokens: billed.inputTokens,
      output_tokens: billed.outputTokens,
    })
    expect(report.documents).toHaveLength(12)
    expect(report.runs).toHaveLength(2)
    expect((await run('report', 'out1', '--merge', 'out2', '--format', 'html')).stdout).toContain(
      'Note 7 on ferries',
    )
    expect((await run('report', 'out1', '--merge', 'nowhere')).code).toBe(3)
  })

  it.each(['text', 'jsonl'])(
    'writes all documents of a shard to stdout in their order, as %s',
    async (format) => {
      const paths = Array.from({ length: 9 }, (_, n) => `docs/${n}.md`)
      const cwd = await createFolder(Object.fromEntries(paths.map((path) => [path, `Note in ${path}.`])))
      const { env } = await startService({})
      const written: string[] = []
      for (const part of [1, 2, 3]) {
        const args = ['summarize', 'docs', '-o', '-', '--format', format, '--shard', `${part}/3`]
        const { code, stdout, stderr } = await runInProcess(args, { cwd, env })
        const found = [...stdout.matchAll(/Note in (docs\/\d\.md)/g)].map(([, path = '']) => path)
        expect(found).toEqual(paths.filter((path) => isInShard(path, { index: part, count: 3 })))
        expect(code).toBe(0)
        expect(stderr).toContain(`documents  ${found.length}: ${found.length} summarized`)
        written.push(...found)
      }
      expect(written.sort()).toEqual(paths)
    },
  )

  it('auto takes the shard from a job array, prints it, and records it in the folder', async () => {
    const files = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`docs/${n}.md`, `Note ${n}.`]))
    const cwd = await createFolder(files)
    const { env } = await startService({})
    const run = (index: string, ...args: string[]) =>
      runInProcess(['summarize', 'docs', '--shard', 'auto/2', ...args], {
        cwd,
        env: { ...env, JOB_COMPLETION_INDEX: index },
      })
    const first = await run('0', '-o', 'part0')
    expect([first.code, first.stderr]).toEqual([
      0,
      expect.stringMatching(/^claude-batch: shard 1 of 2 \(Kubernetes, JOB_COMPLETION_INDEX=0\)\n/),
    ])
    const record = await readFile(join(cwd, 'part0/.claude-batch/shard.json'), 'utf8')
    expect(JSON.parse(record)).toEqual({ format_version: 1, index: 1, count: 2, first_task: 0, task_step: 1 })
    expect(await run('1', '-o', 'part0')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('has shard 1/2'),
    })
    expect((await run('0', '-o', 'part0', '-q')).stderr).toBe('')
    expect((await run('1', '-o', '-')).code).toBe(0)
    expect((await run('1', '-o', 'part1', '--dry-run')).code).toBe(0)
    expect(await readdir(cwd)).not.toContain('part1')
    await run('1', '-o', 'part1')
    const [one, other] = await Promise.all([0, 1].map((n) => readdir(join(cwd, `part${n}/docs`))))
    expect([...(one ?? []), ...(other ?? [])].sort()).toEqual(
      Object.keys(files).map((path) => `${path.slice(5)}.summary.md`),
    )
  })

  it.each(['{"format_version":2,"index":1,"count":2}', '{"format_version":1,"index":3,"count":2}', 'x', ''])(
    'is refused if the record in the folder is unusable: %j',
    async (text) => {
      const cwd = await createFolder({ 'docs/a.md': 'x', 'out/.claude-batch/shard.json': text })
      const args = ['summarize', 'docs', '--simulate', '-o', 'out', '--shard', '1/2']
      const { code, stderr } = await runInProcess(args, { cwd })
      expect([code, stderr]).toEqual([2, expect.stringContaining('does not say which shard this folder has')])
      expect(await readFile(join(cwd, 'out/.claude-batch/shard.json'), 'utf8')).toBe(text)
    },
  )

  it.each(['0/2', '3/2', '1', '1/0', 'a/b', '1/2/3', 'auto/0', 'auto/', 'auto/x', 'Auto', 'auto/1/2'])(
    'rejects %s',
    async (shard) => {
      const cwd = await createFolder({ 'docs/a.md': 'x' })
      const { code, stderr } = await runInProcess(['summarize', 'docs', '--simulate', '--shard', shard], {
        cwd,
      })
      expect([code, stderr.includes('expected a part and the number of parts')]).toEqual([2, true])
    },
  )
})
