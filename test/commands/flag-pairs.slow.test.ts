import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

/** Flags that change the mode, the output or the selection of documents. */
const flags = [
  '--batch',
  '--batch --detach',
  '--mode auto',
  '--detach',
  '-o -',
  '--format jsonl',
  '--digest all.md',
  '--sample 2',
  '--report report.html',
  '--log log.jsonl',
  '--schema schema.json',
  '--front-matter',
  '--shard 1/2',
  '--limit 1',
  '--root docs',
  '--dry-run',
  '--max-cost 1',
  '--force',
  '--redo all',
  '--redo failed',
]
const schema = {
  type: 'object',
  properties: { title: { type: 'string' } },
  required: ['title'],
  additionalProperties: false,
}
const note = (n: number) => `# Note ${n}\n\nThe harbour board met ${n} times and decided to dredge.\n`
const files = {
  'docs/1.md': note(1),
  'docs/2.md': note(2),
  'schema.json': JSON.stringify(schema),
}

describe('a flag', () => {
  it.each(flags)('%s works with any other flag, or is rejected before any request or file', async (one) => {
    const { env, simulator } = await startService({
      batches: { durationMs: 1 },
      latency: { medianMs: 1, sigma: 0 },
    })
    const sent = () => simulator.stats().requests + simulator.stats().batches.created
    for (const other of flags.slice(flags.indexOf(one))) {
      const cwd = await createFolder(files)
      const before = sent()
      const pair = [...new Set([one, other])]
      const args = ['summarize', 'docs', ...pair.flatMap((flag) => flag.split(' '))]
      const { code, stderr } = await runInProcess(args, { cwd, env, clockSpeed: 200, random: () => 0 })
      const run = JSON.stringify({ args: args.join(' '), code, stderr })
      expect([0, 2], run).toContain(code)
      if (code === 0) continue
      expect(sent(), run).toBe(before)
      expect((await readdir(cwd)).sort(), run).toEqual(['docs', 'schema.json'])
      // The message names one of the two flags.
      expect(
        pair.some((flag) => stderr.includes(flag.split(' ')[0] ?? flag)),
        run,
      ).toBe(true)
    }
  })
})
