import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FaultPlan } from '../support/fault-fs.mjs'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { has } from '../support/system.ts'
import { checkInvariants, countedService, docs, filesBelow } from './invariants.ts'

const summarize = ['summarize', 'docs', '--concurrency', '1']
const inOut = (cwd: string) => `^${join(cwd, 'summaries')}`

describe('the order of file operations', () => {
  it('P26 a summary is journaled, written, synced, renamed, recorded and only then removed from the journal', async () => {
    const { env } = await countedService()
    const cwd = await createFolder(docs())
    const log = join(await createFolder({}), 'operations')
    await runInProcess(['summarize', 'docs'], { cwd, env, faults: { log, path: inOut(cwd) } })
    const done = (await readFile(log, 'utf8')).trimEnd().replaceAll(`${cwd}/summaries/`, '').split('\n')
    const inOrder = (...steps: string[]) => {
      let from = 0
      const at = steps.map((step) => {
        from = done.findIndex((line, n) => n >= from && new RegExp(`^${step}$`).test(line))
        return from
      })
      expect(steps.filter((_, n) => at[n] === -1)).toEqual([])
    }
    for (const name of 'abc') {
      const target = `docs/${name}\\.md\\.summary\\.md`
      const temporary = new RegExp(`^begin rename (.*) ${target}$`, 'm').exec(done.join('\n'))?.[1]
      inOrder(
        'end write .claude-batch/journal.jsonl',
        'end sync .claude-batch/journal.jsonl',
        `begin open ${temporary}`,
        `end write ${temporary}`,
        `end sync ${temporary}`,
        `end close ${temporary}`,
        `begin rename ${temporary} ${target}`,
        `end rename ${temporary} ${target}`,
        'begin write .claude-batch/ledger.jsonl',
        'end write .claude-batch/ledger.jsonl',
        'end sync docs',
        'end sync .claude-batch/ledger.jsonl',
        'begin truncate .claude-batch/journal.jsonl',
      )
    }
  })
})

describe('file descriptors', () => {
  it('P19 a lack of file descriptors fails no document, and the message shows what to do', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs())
    const faults: FaultPlan = { do: 'EMFILE', op: 'open', path: 'docs/b\\.md$' }
    const first = await runInProcess(['summarize', 'docs'], { cwd, env, faults })
    expect(first.code).toBe(6)
    expect(first.stderr).toContain('cannot open docs/b.md: too many open files (raise ulimit -n, or lower')
    expect((await filesBelow(cwd)).filter((file) => file.endsWith('.error.txt'))).toEqual([])
    expect(await runInProcess(['summarize', 'docs'], { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
    await checkInvariants(cwd, { said: first.stderr })
  })

  it.runIf(has.proc)('are all closed by a run that ends with an error', async () => {
    const { env } = await countedService()
    const elsewhere = { pid: 1, nonce: 'n', host: 'elsewhere', since: 'then' }
    const lock = { 'summaries/.claude-batch/lock': JSON.stringify(elsewhere) }
    const cwd = await createFolder({ ...docs(), ...lock })
    const ended = await runInProcess([...summarize, '--log', 'log.jsonl'], { cwd, env })
    expect(ended.code).toBe(7)
    const names = await readdir('/proc/self/fd')
    const open = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')))
    expect(open.filter((file) => file.startsWith(cwd))).toEqual([])
  })
})
