import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readJournal } from '../../src/storage/ledger/read-journal.ts'
import type { FaultPlan } from '../support/fault-fs.mjs'
import { createFolder, runCli, startCli } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import {
  checkInvariants,
  countedService,
  docs,
  faulty,
  filesBelow,
  ledgerOf,
  summarized,
  summaryOf,
} from './invariants.ts'

const summarize = ['summarize', 'docs', '--concurrency', '1']
const inOut = (cwd: string) => `^${join(cwd, 'summaries')}`
const oneOrTwo = expect.toBeOneOf([1, 2])
/** Operations that change files. Creating a file or folder has its effect by the next of these. */
const changing = 'write|writeFile|sync|rename|rm|link|truncate'

describe('a crash', () => {
  it('P06 a SIGKILL at any file operation leaves complete summaries, and the next run finishes', async () => {
    const { env, hits } = await countedService()
    let survived = false
    const kill = async (at: number) => {
      const names = [...'ab'].map((name) => name + at)
      const cwd = await createFolder(docs(names))
      // A kill during a write leaves half of the data.
      const plan: FaultPlan = { do: 'kill', short: true, at, op: changing, path: inOut(cwd) }
      const killed = await runCli(summarize, { cwd, env: { ...env, ...faulty(plan) } })
      if (killed.signal === null) survived = true
      else expect(killed.signal).toBe('SIGKILL')
      await checkInvariants(cwd, { said: killed.stdout + killed.stderr, cut: true })

      const { entries } = await readJournal(join(cwd, 'summaries/.claude-batch/journal.jsonl'))
      const kept = entries.map(({ entry: line }) => line.path)

      const again = await runInProcess(summarize, { cwd, env })
      expect([at, again.code, await summarized(cwd)]).toEqual([at, 0, names.join('')])
      await checkInvariants(cwd, { said: again.stderr, cut: true })
      const left = (await filesBelow(cwd)).filter((file) => file.endsWith('.tmp'))
      expect(left.filter((file) => !/-probe\.tmp$|\/lock-\w+\.tmp$/i.test(file))).toEqual([])
      // A document in the journal is not sent again; any other is sent at most once more.
      for (const name of names)
        expect([at, name, hits()[name]]).toEqual([at, name, kept.includes(`docs/${name}.md`) ? 1 : oneOrTwo])
      const asked = names.reduce((sum, name) => sum + (hits()[name] ?? 0), 0)
      expect(asked, `killed at operation ${at}`).toBeLessThanOrEqual(names.length + 1)
    }
    const everySecond = async (first: number) => {
      for (let at = first; !survived; at += 2) await kill(at)
    }
    await Promise.all([everySecond(1), everySecond(2)])
  })

  it('W3 a crash with a slow disk costs no more than the requests in flight', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs(Array.from({ length: 20 }, (_, n) => `n${n}`)))
    const plan: FaultPlan = { slowMs: 100, op: 'sync', path: 'journal\\.jsonl$' }
    const args = ['summarize', 'docs', '--concurrency', '2']
    const slow = { cwd, env: { ...env, ...faulty(plan) } }
    const { child, ended } = await startCli(args, slow, () => Object.keys(hits()).length >= 8)
    child.kill('SIGKILL')
    await ended
    expect(await runInProcess(args, { cwd, env })).toMatchObject({ code: 0 })
    const twice = Object.values(hits()).filter((count) => count > 1)
    expect(twice.length).toBeLessThanOrEqual(2)
  })

  it('P09 a crash between the rename of a summary and its ledger entry costs nothing', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs())
    // The first write is the entry of the run start.
    const plan: FaultPlan = { do: 'kill', op: 'write', path: 'ledger\\.jsonl$', at: 2 }
    const killed = await runCli(['summarize', 'docs/a.md'], { cwd, env: { ...env, ...faulty(plan) } })
    expect(killed.signal).toBe('SIGKILL')
    expect([await summarized(cwd), await ledgerOf(cwd)]).toEqual(['a', []])

    const again = await runInProcess(['summarize', 'docs'], { cwd, env })
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('1 summary paid for by an interrupted run is now in place')
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
    await checkInvariants(cwd, { said: again.stderr })
  })

  it('does not bring back an older summary from the journal if the ledger is long', async () => {
    const { env } = await countedService()
    const cwd = await createFolder(docs('a'))
    const memory = join(cwd, 'summaries/.claude-batch')
    await runInProcess(['summarize', 'docs'], { cwd, env })
    const ledger = await readFile(join(memory, 'ledger.jsonl'), 'utf8')
    const [line] = await ledgerOf(cwd)
    const older = { ...line, ended_at: '2026-01-01T00:00:00.000Z', request_hash: 'older' }
    const superseded = `${JSON.stringify(older)}\n`.repeat(1100)
    await writeFile(join(memory, 'ledger.jsonl'), superseded + ledger)
    const entry = { entry: { ...older, output: undefined }, path: 'docs/a.md.summary.md', text: 'Older.\n' }
    await writeFile(join(memory, 'journal.jsonl'), `${JSON.stringify(entry)}\n`)

    const plan: FaultPlan = { do: 'kill', op: 'truncate', path: 'journal\\.jsonl$' }
    await runCli(['summarize', 'docs'], { cwd, env: { ...env, ...faulty(plan) } })
    expect((await runInProcess(['summarize', 'docs'], { cwd, env })).code).toBe(0)
    expect(await readFile(join(cwd, 'summaries/docs/a.md.summary.md'), 'utf8')).toBe(summaryOf('a'))
  })
})

describe('a file operation', () => {
  const codes = ['EIO', 'ENOSPC', 'EACCES', 'EMFILE']

  it.each([
    ['once', 1, 1],
    ['permanently', Number.MAX_SAFE_INTEGER, 3],
  ])(
    'W21 a failing operation is reported or harmless, and the next run finishes (it fails %s)',
    async (_, times, step) => {
      const { env, hits } = await countedService()
      for (let at = 1, passed = false; !passed; at += step) {
        const names = [...'ab'].map((name) => name + at)
        const cwd = await createFolder(docs(names))
        const log = join(await createFolder({}), 'operations')
        const faults = { do: codes[at % codes.length] ?? 'EIO', at, times, path: inOut(cwd), log }
        const first = await runInProcess(summarize, { cwd, env, faults })
        const operations = (await readFile(log, 'utf8')).match(/^begin/gm)?.length ?? 0
        passed = operations < at
        const there = await summarized(cwd)
        await checkInvariants(cwd, { said: first.stdout + first.stderr, cut: true })
        expect([0, 6], `${at}: ${first.stderr}`).toContain(first.code)
        if (first.code === 0) expect([at, there]).toEqual([at, names.join('')])

        const again = await runInProcess(summarize, { cwd, env })
        expect([at, again.code, await summarized(cwd)], again.stderr).toEqual([at, 0, names.join('')])
        await checkInvariants(cwd, { said: again.stderr, cut: true })
        // A document is paid for twice only if the first run could not save its summary and printed it.
        for (const name of names)
          if (hits()[name] !== 1)
            expect([at, first.stderr]).toEqual([at, expect.stringContaining(`pier ${name} `)])
      }
    },
  )
})

describe('file descriptors', () => {
  it('P19 a start with too few file descriptors is reported in one line', async () => {
    const cwd = await createFolder(docs())
    const ended = Array.from({ length: 13 }, async (_, n) => {
      const launcher = ['sh', '-c', `ulimit -n ${16 + 2 * n}; exec "$@"`, 'sh']
      const { code, stderr } = await runCli([...summarize, '--simulate'], { cwd, launcher })
      // With even fewer, Node fails before it runs the program.
      expect(stderr).not.toContain('/dist/')
      if (!stderr.startsWith('claude-batch')) return undefined
      expect([code, stderr]).toEqual([
        6,
        expect.stringMatching(
          /^claude-batch: .*(?:limit on open files|can be opened|too many open files).* ulimit -n.*\n$/,
        ),
      ])
      return code
    })
    expect((await Promise.all(ended)).at(-1)).toBe(6)
    expect(await filesBelow(cwd)).toEqual(Object.keys(docs()))
  })
})
