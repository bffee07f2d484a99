import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { createShardDocuments } from '../support/shard-documents.ts'

/** Four shards of five documents: each sends one of them live, and a batch of four. */
const shards = [1, 2, 3, 4]

async function setting(batches: SimulatorOptions['batches']) {
  const cwd = await createFolder(createShardDocuments(4, 5))
  const { env, simulator } = await startService({ batches: { durationMs: 100, ...batches } })
  const runAll = () =>
    Promise.all(
      shards.map((n) =>
        runInProcess(['summarize', 'docs', '--batch', '--shard', `${n}/4`, '-o', `part${n}`], {
          cwd,
          env,
          clockSpeed: 100,
        }),
      ),
    )
  const countSummaries = () =>
    Promise.all(
      shards.map(async (n) => {
        const names = await readdir(join(cwd, `part${n}`, 'docs')).catch(() => [])
        return names.filter((name) => name.endsWith('.summary.md')).length
      }),
    )
  return { simulator, runAll, countSummaries }
}

describe('summarize --batch by four shards', () => {
  it('B16 waits while the batches of other shards fill the queue', async () => {
    const { simulator, runAll, countSummaries } = await setting({
      maxQueuedRequests: 9,
      // The first batches must still be there when the slowest shard sends its own.
      durationMs: 600,
    })
    const results = await runAll()
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    expect(await countSummaries()).toEqual([5, 5, 5, 5])
    const { batches, batchBilled, byStatus } = simulator.stats()
    expect([batches.created, batchBilled.requests]).toEqual([4, 16])
    expect(byStatus.get(429)).toBeGreaterThan(0)
    expect(batches.calls.create).toBeLessThan(4 * 12)
  })

  it('B17 gives each batch to its shard, although all batches have the same size and no creation is confirmed', async () => {
    const { simulator, runAll, countSummaries } = await setting({
      chooseFault: (call) => (call === 'create' ? { lost: 'after' } : undefined),
    })
    const results = await runAll()
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0])
    expect(await countSummaries()).toEqual([5, 5, 5, 5])
    expect(simulator.stats().batches.created).toBe(4)
    expect([...simulator.stats().billedPrompts.values()]).toEqual(Array(20).fill(1))
  })
})
