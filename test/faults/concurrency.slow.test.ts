import { readdir, readFile, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProcessRuntime } from '../../src/runtime.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import type { LockOwner } from '../../src/storage/lock/lock-owner.ts'
import { createFolder, runCli, startCli } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { checkInvariants, countedService, docs, ledgerOf, summarized } from './invariants.ts'

const summarize = ['summarize', 'docs']
const memoryIn = (cwd: string) => join(cwd, 'summaries/.claude-batch')
const lockIn = (cwd: string) => join(memoryIn(cwd), 'lock')
const lockOf = async (cwd: string) => JSON.parse(await readFile(lockIn(cwd), 'utf8')) as LockOwner
const answer: Behaviour = { kind: 'answer', delayMs: 5 }
const { isRunning } = createProcessRuntime()
const silence: Behaviour = { kind: 'stall', afterHeaders: false }

describe('several runs for one output folder', () => {
  it('K01 the second run ends immediately and names the lock owner', async () => {
    const { env, hits } = await countedService(() => silence)
    const cwd = await createFolder(docs('a'))
    const { child } = await startCli(summarize, { cwd, env }, () => hits()['a'] === 1)
    const { code, stderr } = await runInProcess(summarize, { cwd, env, isRunning })
    expect(code).toBe(7)
    const { pid, host, since } = await lockOf(cwd)
    expect(pid).toBe(child.pid)
    expect(stderr).toBe(
      `claude-batch: another run holds this output folder: process ${pid} on ${host}, since ${since}; to wait for it, add --lock-timeout 10m\n`,
    )
    expect(hits()).toEqual({ a: 1 })
    expect((await readdir(memoryIn(cwd))).sort()).toEqual(['journal.jsonl', 'ledger.jsonl', 'lock'])
  })

  it('K07 the second run is refused even if the first has been suspended for a long time', async () => {
    const { env, hits } = await countedService(() => silence)
    const cwd = await createFolder(docs('a'))
    const { child } = await startCli(summarize, { cwd, env }, () => hits()['a'] === 1)
    child.kill('SIGSTOP')
    await utimes(lockIn(cwd), 1_000_000_000, 1_000_000_000)
    expect(await runInProcess(summarize, { cwd, env, isRunning })).toMatchObject({ code: 7 })
    expect(await lockOf(cwd)).toMatchObject({ pid: child.pid })
  })

  it('K06 one of twenty runs proceeds, and nineteen exit with 7', async () => {
    let losers = 0
    const busy: Behaviour = { kind: 'status', status: 429, headers: { 'retry-after-ms': '200' } }
    const { env, simulator } = await countedService(() => (losers < 19 ? busy : answer))
    const cwd = await createFolder(docs())
    const starters = Array.from({ length: 20 }, async () => {
      const { code } = await runCli(summarize, { cwd, env })
      if (code === 7) losers++
      return code
    })
    expect((await Promise.all(starters)).sort()).toEqual([0, ...Array<number>(19).fill(7)])
    expect(simulator.stats().billed.requests).toBe(3)
    expect(await readdir(memoryIn(cwd))).toEqual(['journal.jsonl', 'ledger.jsonl'])
    await checkInvariants(cwd)
  })

  it('K08 every summary is complete even if the lock was removed by hand', async () => {
    const { env, hits } = await countedService((name) => ({
      kind: 'answer',
      delayMs: name === 'a' ? 5 : 900,
    }))
    const cwd = await createFolder(docs())
    const first = await startCli(summarize, { cwd, env }, async () => (await ledgerOf(cwd)).length > 0)
    await rm(lockIn(cwd))
    const ends = [await runInProcess(summarize, { cwd, env, isRunning }), await first.ended]
    for (const { code, stderr } of ends) {
      // A summary that the other run wrote is untracked here, and its temporary file may be removed.
      expect([0, 1, 6], stderr).toContain(code)
      await checkInvariants(cwd, { said: stderr })
    }
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(await readdir(join(cwd, 'summaries/docs'))).toHaveLength(3)
    expect(await summarized(cwd)).toBe('abc')
    for (const count of Object.values(hits())) expect(count).toBeLessThanOrEqual(2)
  })

  it('K09 a run with --lock-timeout waits for the first one, unless that takes too long', async () => {
    const { env, hits } = await countedService(() => ({ kind: 'answer', delayMs: 1500 }))
    const cwd = await createFolder(docs('a'))
    const first = await startCli(summarize, { cwd, env }, () => hits()['a'] === 1)
    const [short, long] = await Promise.all([
      runInProcess([...summarize, '--lock-timeout', '0.1s'], { cwd, env, isRunning }),
      runInProcess([...summarize, '--lock-timeout', '20s'], { cwd, env, isRunning }),
    ])
    expect(await first.ended).toMatchObject({ code: 0 })
    expect(short).toMatchObject({
      code: 7,
      stderr: expect.stringContaining(
        '; gave up after --lock-timeout 100 ms; run the same command again later\n',
      ),
    })
    expect(long).toMatchObject({ code: 0 })
    expect(long.stderr.match(/waiting: another run holds this output folder/g)).toHaveLength(1)
    expect(hits()).toEqual({ a: 1 })
  })

  it('K15 a run is refused while the orphan of a killed npx finishes, which it does soon', async () => {
    const { env, hits } = await countedService((name) => ({
      kind: 'answer',
      delayMs: name === 'a' ? 5 : 1800,
    }))
    const cwd = await createFolder(docs('abcd'))
    const npx = { ...env, npm_lifecycle_event: 'npx' }
    const launcher = ['sh', '-c', '"$@" & wait', 'sh']
    const args = [...summarize, '--concurrency', '2']
    const first = await startCli(
      args,
      { cwd, env: npx, launcher },
      async () => (await ledgerOf(cwd)).length > 0,
    )
    first.child.kill('SIGKILL')
    expect(await runInProcess(summarize, { cwd, env, isRunning })).toMatchObject({ code: 7 })
    await first.ended
    expect(hits()).not.toHaveProperty('d')
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 1, c: 1, d: 1 })
    await checkInvariants(cwd)
  })
})

describe('a stale lock', () => {
  it('K02 the lock of a run that was killed is taken over', async () => {
    const { env, hits } = await countedService((_, time) => (time === 1 ? silence : answer))
    const cwd = await createFolder(docs('a'))
    const { child, ended } = await startCli(summarize, { cwd, env }, () => hits()['a'] === 1)
    child.kill('SIGKILL')
    await ended
    const { code, stderr } = await runInProcess(summarize, { cwd, env, isRunning })
    expect(code).toBe(0)
    expect(stderr).toContain(`process ${child.pid} since`)
  })
})
