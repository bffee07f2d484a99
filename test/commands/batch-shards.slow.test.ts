import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { longWait } from '../support/long-wait.ts'
import { createFolder, runCli, startCli, startService } from '../support/run-cli.ts'
import { createShardDocuments } from '../support/shard-documents.ts'

describe('summarize --batch by four shards', () => {
  it('B17 finds the batches of the same size again if all were killed before they knew their ids', async () => {
    let isLate = true
    const cwd = await createFolder(createShardDocuments(4, 5))
    const { env, simulator } = await startService({
      batches: {
        durationMs: 1000,
        maxQueuedRequests: 16,
        chooseFault: (call) => (call === 'create' && isLate ? { lateMs: 3000 } : undefined),
      },
    })
    const shards = [1, 2, 3, 4]
    const argsOf = (n: number) => ['summarize', 'docs', '--batch', '--shard', `${n}/4`, '-o', `part${n}`]
    const killed = await Promise.all(
      shards.map((n) => startCli(argsOf(n), { cwd, env }, () => simulator.stats().batches.created === 4)),
    )
    for (const { child } of killed) child.kill('SIGKILL')
    await Promise.all(killed.map(({ ended }) => ended))
    isLate = false
    const runAll = () => Promise.all(shards.map((n) => runCli(argsOf(n), { cwd, env })))
    await vi.waitUntil(async () => (await runAll()).every(({ code }) => code === 0), {
      ...longWait,
      interval: 100,
    })
    const names = await Promise.all(shards.map((n) => readdir(join(cwd, `part${n}/docs`))))
    expect(names.map(({ length }) => length)).toEqual([5, 5, 5, 5])
    expect(simulator.stats().batches.created).toBe(4)
    expect([...simulator.stats().billedPrompts.values()]).toEqual(Array(20).fill(1))
  })
})
