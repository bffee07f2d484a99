import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { createProcessRuntime } from '../../src/runtime.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createLockOwner, type LockOwner } from '../../src/storage/lock/lock-owner.ts'
import { longWait } from '../support/long-wait.ts'
import { answerAfter, createGate } from '../support/manual-response.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { createReply } from '../support/scripted-ask.ts'
import { createTestPipeline } from '../support/test-pipeline.ts'
import { checkInvariants, countedService, docs, ledgerOf, sentence } from './invariants.ts'

const summarize = ['summarize', 'docs']
const memoryIn = (cwd: string) => join(cwd, 'summaries/.claude-batch')
const lockIn = (cwd: string) => join(memoryIn(cwd), 'lock')
const answer: Behaviour = { kind: 'answer', delayMs: 5 }
const { isRunning } = createProcessRuntime()

/** Writes a lock as this process would hold it, with some fields replaced. */
async function writeLock(cwd: string, difference: Partial<LockOwner>): Promise<void> {
  await mkdir(memoryIn(cwd), { recursive: true })
  const self = await createLockOwner(process.pid, '2026-11-22T10:00:00.000Z', 'abcdef012345')
  await writeFile(lockIn(cwd), JSON.stringify({ ...self, ...difference }))
}

async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'close')
  return child.pid ?? 0
}

describe('a lock that exists at the start', () => {
  it('K02 a lock whose process is dead is taken over, with one note', async () => {
    const { env } = await countedService()
    const cwd = await createFolder(docs())
    const pid = await deadPid()
    await writeLock(cwd, { pid })
    const { code, stderr } = await runInProcess(summarize, { cwd, env, isRunning })
    expect(code).toBe(0)
    expect(stderr.match(/took over/g)).toHaveLength(1)
    expect(stderr).toContain(`process ${pid} since 2026-11-22T10:00:00.000Z, is dead; took over`)
    expect(await readdir(memoryIn(cwd))).toEqual(['journal.jsonl', 'ledger.jsonl'])
    await checkInvariants(cwd, { said: stderr })
  })

  it('K02 a lock from before a reboot is taken over', async (context) => {
    const { machine } = await createLockOwner(process.pid, '', '')
    if (machine === '') context.skip('this machine has no id to be recognized by')
    const { env } = await countedService()
    const cwd = await createFolder(docs('a'))
    await writeLock(cwd, { boot: 'an earlier one' })
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
  })

  it('K03 a lock whose process id was reused is taken over', async (context) => {
    const { began } = await createLockOwner(process.pid, '', '')
    if (began === '') context.skip('this system does not tell when a process began')
    const { env } = await countedService()
    const cwd = await createFolder(docs('a'))
    await writeLock(cwd, { began: '1' })
    const { code, stderr } = await runInProcess(summarize, { cwd, env, isRunning })
    expect(code).toBe(0)
    expect(stderr).toContain(`process ${process.pid} since 2026-11-22T10:00:00.000Z, is dead; took over`)
  })

  it.each<[string, Partial<LockOwner>]>([
    ['another host', { host: 'elsewhere' }],
    ['another machine of the same name', { boot: 'another', machine: 'another' }],
    ['another container', { namespace: 'pid:[1]' }],
  ])(
    'K04 a lock of %s is never taken over, and the message shows how to remove it',
    async (_, difference) => {
      const { env, hits } = await countedService()
      const cwd = await createFolder(docs('a'))
      await writeLock(cwd, { ...difference, pid: await deadPid() })
      const before = await readFile(lockIn(cwd), 'utf8')
      const { code, stderr } = await runInProcess([...summarize, '--lock-timeout', '0.3s'], { cwd, env })
      expect(code).toBe(7)
      expect(stderr).toContain(
        `if that run is over, remove its lock with: claude-batch unlock ${join(cwd, 'summaries')}`,
      )
      expect(await readFile(lockIn(cwd), 'utf8')).toBe(before)
      expect(hits()).toEqual({})
    },
  )

  it.each([
    ['nothing', ''],
    ['garbage', '\0\0\0'],
    ['unexpected JSON', '[7]'],
    ['null', 'null'],
  ])(
    'K05 a lock that contains %s is not taken over, and the message shows how to remove it',
    async (_, content) => {
      const { env, hits } = await countedService()
      const cwd = await createFolder({ ...docs('a'), 'summaries/.claude-batch/lock': content })
      const { code, stderr } = await runInProcess(summarize, { cwd, env })
      expect(code).toBe(7)
      expect(stderr).toBe(
        `claude-batch: ${lockIn(cwd)} cannot be read; if no other run uses this output folder, remove its lock with: claude-batch unlock ${join(cwd, 'summaries')}; --lock-timeout SECONDS waits for it\n`,
      )
      expect(hits()).toEqual({})
      await rm(lockIn(cwd))
      expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    },
  )
})

describe('concurrent documents', () => {
  it('K10 a slow document delays no other, and the report shows its latency', async () => {
    const others = createGate()
    const { env } = await countedService((name) => (name === 'b' ? answerAfter(others.opened) : answer))
    const cwd = await createFolder(docs('abcdefgh'))
    const run = runInProcess([...summarize, '--concurrency', '2'], { cwd, env })
    await vi.waitUntil(async () => (await ledgerOf(cwd)).length === 7, longWait)
    others.open()
    const { code, stderr } = await run
    expect(code).toBe(0)
    const lines = await ledgerOf(cwd)
    expect(lines.at(-1)?.path).toBe('docs/b.md')
    const slowest = Math.round(lines.at(-1)?.latency_ms ?? 0)
    expect(slowest).toBeGreaterThan(Math.max(...lines.slice(0, -1).map(({ latency_ms }) => latency_ms ?? 0)))
    const [, p99, unit] = /p99 ([\d.]+) (ms|s)/.exec(stderr) ?? []
    expect(Math.round(Number(p99) * (unit === 's' ? 1000 : 1)) / slowest).toBeCloseTo(1, 1)
  })

  it('K11 requests never start faster than the rate limit, not even at the beginning', async () => {
    const starts: number[] = []
    const world = createTestPipeline(
      async () => {
        starts.push(world.clock.now())
        await world.clock.sleep(3000)
        return createReply('ok')
      },
      { configured: { requests: 50 } },
    )
    const all = Array.from({ length: 200 }, (_, n) => world.ask(`${n}.md`))
    await world.clock.run(Promise.all(all))
    expect(starts).toHaveLength(200)
    const within = (ms: number) =>
      starts.map((from) => starts.filter((at) => at >= from && at < from + ms).length)
    expect(Math.max(...within(60_000))).toBeLessThanOrEqual(50)
    expect(Math.max(...within(1000))).toBe(1)
  })
})

describe('a second run', () => {
  it('K12 another prompt, model or setting redoes every document with --redo settings, and the run reports why', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs())
    const again = (...args: string[]) => runInProcess([...summarize, ...args], { cwd, env })
    expect(await again()).toMatchObject({ code: 0 })
    const changes = [
      ['3 (prompt: summarize@v3 → summarize@v1)', '--prompt', 'summarize@v1'],
      ['3 (model: claude-haiku-5-5 → claude-sonnet-5-5)', '--prompt', 'summarize@v1', '--model', 'sonnet'],
      ['3 (settings changed)', '--prompt', 'summarize@v1', '--model', 'sonnet', '--max-tokens', '500'],
    ]
    for (const [n, [why = '', ...args]] of changes.entries()) {
      const { code, stderr } = await again(...args, '--redo', 'settings')
      expect(code).toBe(0)
      expect(stderr).toContain(why)
      expect(hits()).toEqual({ a: n + 2, b: n + 2, c: n + 2 })
    }
    const models = (await ledgerOf(cwd)).slice(-3).map(({ prompt, model }) => `${prompt} ${model}`)
    expect(new Set(models)).toEqual(new Set([expect.stringMatching(/^summarize@v1 claude-sonnet/)]))
    await checkInvariants(cwd)
  })

  it('K13 changed, added and renamed documents are sent, but not those with only a new mtime', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs('abcde'))
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    await writeFile(join(cwd, 'docs/b.md'), `\n${sentence('b')}\n`)
    await writeFile(join(cwd, 'docs/0.md'), sentence('0'))
    await rename(join(cwd, 'docs/c.md'), join(cwd, 'docs/f.md'))
    await writeFile(join(cwd, 'docs/f.md'), sentence('f'))
    await utimes(join(cwd, 'docs/d.md'), 1_000_000_000, 1_000_000_000)
    const { code, stderr } = await runInProcess(summarize, { cwd, env })
    expect(code).toBe(0)
    expect(stderr).toMatch(/redone +1 \(document changed\)/)
    expect(hits()).toEqual({ 0: 1, a: 1, b: 2, c: 1, d: 1, e: 1, f: 1 })
    await checkInvariants(cwd, { said: stderr })
  })

  it.each<[string, number, Behaviour, string[]]>([
    ['an account error', 4, { kind: 'status', status: 402 }, []],
    ['the limit of --max-failures', 5, { kind: 'status', status: 400 }, ['--max-failures', '1']],
    ['a transient failure', 75, { kind: 'status', status: 529 }, ['--retries', '0']],
    ['a failure of one document', 1, { kind: 'status', status: 400 }, []],
  ])('K14 the run after %s (exit %i) sends only unfinished documents', async (_, code, fault, args) => {
    const { env, hits } = await countedService((name, time) => (name === 'c' && time === 1 ? fault : answer))
    const cwd = await createFolder(docs('abcde'))
    const first = await runInProcess([...summarize, '--concurrency', '1', ...args], { cwd, env })
    expect(first.code).toBe(code)
    expect(hits()).toMatchObject({ a: 1, b: 1, c: 1 })
    await checkInvariants(cwd, { said: first.stderr })
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 1, c: 2, d: 1, e: 1 })
    await checkInvariants(cwd)
  })
})
