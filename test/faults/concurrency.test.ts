import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { type Holder, holderFor } from '../../src/sinks/holder.ts'
import { realWorld } from '../../src/world.ts'
import { folderWith, runCli, running } from '../support/run-cli.ts'
import { runHere } from '../support/run-here.ts'
import { replyOf } from '../support/scripted-ask.ts'
import { stack } from '../support/stack.ts'
import { checkInvariants, countedService, docs, ledgerOf, sentence, summarized } from './invariants.ts'

const summarize = ['summarize', 'docs']
const memoryIn = (cwd: string) => join(cwd, 'summaries/.claude-batch')
const lockIn = (cwd: string) => join(memoryIn(cwd), 'lock')
const lockOf = async (cwd: string) => JSON.parse(await readFile(lockIn(cwd), 'utf8')) as Holder
const answer: Behaviour = { kind: 'answer', delayMs: 5 }
const { isRunning } = realWorld()
const silence: Behaviour = { kind: 'stall', afterHeaders: false }

/** A lock as this test's own process would hold it, but for what is said otherwise. */
async function writeLock(cwd: string, difference: Partial<Holder>): Promise<void> {
  await mkdir(memoryIn(cwd), { recursive: true })
  const self = await holderFor(process.pid, '2026-11-22T10:00:00.000Z', 'abcdef012345')
  await writeFile(lockIn(cwd), JSON.stringify({ ...self, ...difference }))
}

async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'close')
  return child.pid ?? 0
}

describe('two runs for one output folder', () => {
  it('K01 are one too many: the second ends at once and says who holds it', async () => {
    const { env, hits } = await countedService(() => silence)
    const cwd = await folderWith(docs('a'))
    const { child } = await running(summarize, { cwd, env }, () => hits()['a'] === 1)
    const { code, stderr } = await runHere(summarize, { cwd, env, isRunning })
    expect(code).toBe(7)
    const { pid, host, since } = await lockOf(cwd)
    expect(pid).toBe(child.pid)
    expect(stderr).toBe(
      `claude-batch: another run holds this output folder: process ${pid} on ${host}, since ${since}; --wait-lock SECONDS waits for it\n`,
    )
    expect(hits()).toEqual({ a: 1 })
    expect((await readdir(memoryIn(cwd))).sort()).toEqual(['journal.jsonl', 'ledger.jsonl', 'lock'])
  })

  it('K07 are one too many also where the first was stopped for long', async () => {
    const { env, hits } = await countedService(() => silence)
    const cwd = await folderWith(docs('a'))
    const { child } = await running(summarize, { cwd, env }, () => hits()['a'] === 1)
    child.kill('SIGSTOP')
    await utimes(lockIn(cwd), 1_000_000_000, 1_000_000_000)
    expect(await runHere(summarize, { cwd, env, isRunning })).toMatchObject({ code: 7 })
    expect(await lockOf(cwd)).toMatchObject({ pid: child.pid })
  })

  it('K06 are nineteen too many where there are twenty', async () => {
    let losers = 0
    const busy: Behaviour = { kind: 'status', status: 429, headers: { 'retry-after-ms': '200' } }
    const { env, simulator } = await countedService(() => (losers < 19 ? busy : answer))
    const cwd = await folderWith(docs())
    const starters = Array.from({ length: 20 }, async () => {
      const { code } = await runCli(summarize, { cwd, env })
      if (code === 7) losers++
      return code
    })
    expect((await Promise.all(starters)).sort()).toEqual([0, ...Array<number>(19).fill(7)])
    expect(simulator.stats().billed.requests).toBe(3)
    expect(await readdir(memoryIn(cwd))).toEqual(['journal.jsonl', 'ledger.jsonl'])
    await checkInvariants(cwd)
  }, 60_000)

  it('K08 for want of the lock, which somebody removed, still leave every summary whole', async () => {
    const { env, hits } = await countedService((name) => ({
      kind: 'answer',
      delayMs: name === 'a' ? 5 : 900,
    }))
    const cwd = await folderWith(docs())
    const first = await running(summarize, { cwd, env }, async () => (await ledgerOf(cwd)).length > 0)
    await rm(lockIn(cwd))
    const ends = [await runHere(summarize, { cwd, env, isRunning }), await first.ended]
    for (const { code, stderr } of ends) {
      // What the other has written meanwhile is foreign, and what it was writing may be swept.
      expect([0, 1, 6], stderr).toContain(code)
      await checkInvariants(cwd, { said: stderr })
    }
    expect(await runHere(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(await readdir(join(cwd, 'summaries/docs'))).toHaveLength(3)
    expect(await summarized(cwd)).toBe('abc')
    for (const count of Object.values(hits())) expect(count).toBeLessThanOrEqual(2)
  })

  it('K09 with --wait-lock come one after the other, as long as that is worth waiting for', async () => {
    const { env, hits } = await countedService(() => ({ kind: 'answer', delayMs: 1500 }))
    const cwd = await folderWith(docs('a'))
    const first = await running(summarize, { cwd, env }, () => hits()['a'] === 1)
    const [short, long] = await Promise.all([
      runHere([...summarize, '--wait-lock', '0.1s'], { cwd, env, isRunning }),
      runHere([...summarize, '--wait-lock', '20s'], { cwd, env, isRunning }),
    ])
    expect(await first.ended).toMatchObject({ code: 0 })
    expect(short).toMatchObject({ code: 7, stderr: expect.not.stringContaining('--wait-lock') })
    expect(long).toMatchObject({ code: 0 })
    expect(long.stderr.match(/waiting: another run holds this output folder/g)).toHaveLength(1)
    expect(hits()).toEqual({ a: 1 })
  })

  it('K15 are one too many while an orphan of npx finishes, which it does soon', async () => {
    const { env, hits } = await countedService((name) => ({
      kind: 'answer',
      delayMs: name === 'a' ? 5 : 1800,
    }))
    const cwd = await folderWith(docs('abcd'))
    const npx = { ...env, npm_lifecycle_event: 'npx' }
    const by = ['sh', '-c', '"$@" & wait', 'sh']
    const args = [...summarize, '--concurrency', '2']
    const first = await running(args, { cwd, env: npx, by }, async () => (await ledgerOf(cwd)).length > 0)
    first.child.kill('SIGKILL')
    expect(await runHere(summarize, { cwd, env, isRunning })).toMatchObject({ code: 7 })
    await first.ended
    expect(hits()).not.toHaveProperty('d')
    expect(await runHere(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 1, c: 1, d: 1 })
    await checkInvariants(cwd)
  })
})

describe('a lock that was left', () => {
  it('K02 by a process that is dead is taken over, with one note', async () => {
    const { env } = await countedService()
    const cwd = await folderWith(docs())
    const pid = await deadPid()
    await writeLock(cwd, { pid })
    const { code, stderr } = await runHere(summarize, { cwd, env, isRunning })
    expect(code).toBe(0)
    expect(stderr.match(/took over/g)).toHaveLength(1)
    expect(stderr).toContain(`process ${pid} since 2026-11-22T10:00:00.000Z, is dead; took over`)
    expect(await readdir(memoryIn(cwd))).toEqual(['journal.jsonl', 'ledger.jsonl'])
    await checkInvariants(cwd, { said: stderr })
  })

  it('K02 by a run that was killed is taken over', async () => {
    const { env, hits } = await countedService((_, time) => (time === 1 ? silence : answer))
    const cwd = await folderWith(docs('a'))
    const { child, ended } = await running(summarize, { cwd, env }, () => hits()['a'] === 1)
    child.kill('SIGKILL')
    await ended
    const { code, stderr } = await runHere(summarize, { cwd, env, isRunning })
    expect(code).toBe(0)
    expect(stderr).toContain(`process ${child.pid} since`)
  })

  it('K02 before the machine was started again is taken over', async (context) => {
    const { machine } = await holderFor(process.pid, '', '')
    if (machine === '') context.skip('this machine has no id to be recognized by')
    const { env } = await countedService()
    const cwd = await folderWith(docs('a'))
    await writeLock(cwd, { boot: 'an earlier one' })
    expect(await runHere(summarize, { cwd, env })).toMatchObject({ code: 0 })
  })

  it('K03 by a process whose id is another’s now is taken over', async (context) => {
    const { began } = await holderFor(process.pid, '', '')
    if (began === '') context.skip('this system does not tell when a process began')
    const { env } = await countedService()
    const cwd = await folderWith(docs('a'))
    await writeLock(cwd, { began: '1' })
    const { code, stderr } = await runHere(summarize, { cwd, env, isRunning })
    expect(code).toBe(0)
    expect(stderr).toContain(`process ${process.pid} since 2026-11-22T10:00:00.000Z, is dead; took over`)
  })

  it.each<[string, Partial<Holder>]>([
    ['another host', { host: 'elsewhere' }],
    ['another machine of the same name', { boot: 'another', machine: 'another' }],
    ['another container', { namespace: 'pid:[1]' }],
  ])('K04 by %s is never taken over, and the run says how to remove it', async (_, difference) => {
    const { env, hits } = await countedService()
    const cwd = await folderWith(docs('a'))
    await writeLock(cwd, { ...difference, pid: await deadPid() })
    const before = await readFile(lockIn(cwd), 'utf8')
    const { code, stderr } = await runHere([...summarize, '--wait-lock', '0.3s'], { cwd, env })
    expect(code).toBe(7)
    expect(stderr).toContain(`if that one is over, remove ${lockIn(cwd)}`)
    expect(await readFile(lockIn(cwd), 'utf8')).toBe(before)
    expect(hits()).toEqual({})
  })

  it.each([
    ['nothing', ''],
    ['garbage', '\0\0\0'],
    ['JSON of another kind', '[7]'],
    ['null', 'null'],
  ])('K05 with %s in it is nobody’s; the run says what to do', async (_, content) => {
    const { env, hits } = await countedService()
    const cwd = await folderWith({ ...docs('a'), 'summaries/.claude-batch/lock': content })
    const { code, stderr } = await runHere(summarize, { cwd, env })
    expect(code).toBe(7)
    expect(stderr).toBe(
      `claude-batch: ${lockIn(cwd)} cannot be read; if no other run uses this folder, remove it; --wait-lock SECONDS waits for it\n`,
    )
    expect(hits()).toEqual({})
    await rm(lockIn(cwd))
    expect(await runHere(summarize, { cwd, env })).toMatchObject({ code: 0 })
  })
})

describe('documents at once', () => {
  it('K10 are not held up by one that takes long, and the report shows that there was one', async () => {
    const { env } = await countedService((name) => ({ kind: 'answer', delayMs: name === 'b' ? 1000 : 5 }))
    const cwd = await folderWith(docs('abcdefgh'))
    const { code, stderr } = await runHere([...summarize, '--concurrency', '2'], { cwd, env })
    expect(code).toBe(0)
    const lines = await ledgerOf(cwd)
    expect(lines.at(-1)?.path).toBe('docs/b.md')
    const others = lines.slice(0, -1).map(({ time }) => Date.parse(time))
    expect(Date.parse(lines.at(-1)?.time ?? '') - Math.max(...others)).toBeGreaterThan(300)
    expect(stderr).toMatch(/p99 1(\.\d+)? s/)
  })

  it('K11 never start faster than the limit, not even at the beginning', async () => {
    const starts: number[] = []
    const world = stack(
      async () => {
        starts.push(world.clock.now())
        await world.clock.sleep(3000)
        return replyOf('ok')
      },
      { given: { requests: 50 } },
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

describe('a run again', () => {
  it('K12 with another prompt, model or setting redoes everything, and says why', async () => {
    const { env, hits } = await countedService()
    const cwd = await folderWith(docs())
    const again = (...args: string[]) => runHere([...summarize, ...args], { cwd, env })
    expect(await again()).toMatchObject({ code: 0 })
    const changes = [
      ['3 × prompt changed', '--prompt', 'summarize@v1'],
      ['3 × model changed', '--prompt', 'summarize@v1', '--model', 'sonnet'],
      ['3 × settings changed', '--prompt', 'summarize@v1', '--model', 'sonnet', '--max-tokens', '500'],
    ]
    for (const [n, [why = '', ...args]] of changes.entries()) {
      const { code, stderr } = await again(...args)
      expect(code).toBe(0)
      expect(stderr).toContain(why)
      expect(hits()).toEqual({ a: n + 2, b: n + 2, c: n + 2 })
    }
    const models = (await ledgerOf(cwd)).slice(-3).map(({ prompt, model }) => `${prompt} ${model}`)
    expect(new Set(models)).toEqual(new Set([expect.stringMatching(/^summarize@v1 claude-sonnet/)]))
    await checkInvariants(cwd)
  })

  it('K13 after documents were changed, added, renamed and touched sends no more than these', async () => {
    const { env, hits } = await countedService()
    const cwd = await folderWith(docs('abcde'))
    expect(await runHere(summarize, { cwd, env })).toMatchObject({ code: 0 })
    await writeFile(join(cwd, 'docs/b.md'), `\n${sentence('b')}\n`)
    await writeFile(join(cwd, 'docs/0.md'), sentence('0'))
    await rename(join(cwd, 'docs/c.md'), join(cwd, 'docs/f.md'))
    await writeFile(join(cwd, 'docs/f.md'), sentence('f'))
    await utimes(join(cwd, 'docs/d.md'), 1_000_000_000, 1_000_000_000)
    const { code, stderr } = await runHere(summarize, { cwd, env })
    expect(code).toBe(0)
    expect(stderr).toMatch(/again +1 × document changed/)
    expect(hits()).toEqual({ 0: 1, a: 1, b: 2, c: 1, d: 1, e: 1, f: 1 })
    await checkInvariants(cwd, { said: stderr })
  })

  it.each<[string, number, Behaviour, string[]]>([
    ['the account refused', 4, { kind: 'status', status: 401 }, []],
    ['a limit of our own', 5, { kind: 'status', status: 400 }, ['--max-failures', '1']],
    ['failures that may pass', 75, { kind: 'status', status: 529 }, ['--retries', '0']],
    ['a failure of one document', 1, { kind: 'status', status: 400 }, []],
  ])('K14 after %s (%i) sends only what is not done', async (_, code, fault, args) => {
    const { env, hits } = await countedService((name, time) => (name === 'c' && time === 1 ? fault : answer))
    const cwd = await folderWith(docs('abcde'))
    const first = await runHere([...summarize, '--concurrency', '1', ...args], { cwd, env })
    expect(first.code).toBe(code)
    expect(hits()).toMatchObject({ a: 1, b: 1, c: 1 })
    await checkInvariants(cwd, { said: first.stderr })
    expect(await runHere(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 1, c: 2, d: 1, e: 1 })
    await checkInvariants(cwd)
  })
})
