import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest'
import { longWait } from '../support/long-wait.ts'
import { answerAfter, createGate } from '../support/manual-response.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import {
  answer,
  checkInvariants,
  countedService,
  docs,
  filesBelow,
  ledgerOf,
  sentence,
  summarized,
  summaryOf,
} from './invariants.ts'

const summarize = ['summarize', 'docs']
const ledgerIn = (cwd: string) => join(cwd, 'summaries/.claude-batch/ledger.jsonl')
const summaryIn = (cwd: string, name: string) => join(cwd, `summaries/docs/${name}.md.summary.md`)
const recordIn = (cwd: string, name: string) => join(cwd, `summaries/docs/${name}.md.error.txt`)

/** Creates a folder where every document has its summary; `refused` rejects the second request for each. */
async function done({ refused = false } = {}) {
  const service = await countedService((_, time) =>
    refused && time === 2 ? { kind: 'status', status: 400 } : { kind: 'answer', delayMs: 5 },
  )
  const cwd = await createFolder(docs())
  const { env } = service
  expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
  return {
    ...service,
    cwd,
    again: (...args: string[]) => runInProcess([...summarize, ...args], { cwd, env }),
  }
}

const run = promisify(execFile)

/** Mounts a file system in memory until the test ends; skips the test if mounting is not permitted. */
async function needMount(context: TestContext, folder: string, options: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).catch(() => undefined)
  if (mounted === undefined) context.skip('no file system may be mounted here')
  onTestFinished(async () => {
    await run('umount', [folder])
  })
}

describe('a disk error', () => {
  it.each([
    ['F01', 'ENOSPC'],
    ['F07', 'EDQUOT'],
    ['F07', 'EFBIG'],
    ['F07', 'EIO'],
  ])(
    '%s %s while a summary is written stops the run and keeps the text for the next one',
    async (_, code) => {
      const slowly = (name: string) => ({ kind: 'answer', delayMs: name > 'b' ? 300 : 5 }) as const
      const { env, hits } = await countedService(slowly)
      const cwd = await createFolder(docs('abcdef'))
      const faults = { do: code, op: 'write', path: 'docs/\\.claude-batch', at: 2, short: true }
      const full = await runInProcess([...summarize, '--concurrency', '1'], { cwd, env, faults })
      expect(full.code).toBe(6)
      const unsaved = /could not save the summary of docs\/([ab])\.md; the next run saves it/
      const name = unsaved.exec(full.stderr)?.[1] ?? ''
      expect(full.stderr).toMatch(
        /cannot write .*\.md\.summary\.md: .*; to continue, run the same command again/,
      )
      expect(hits()).not.toHaveProperty('f')
      expect(await summarized(cwd)).not.toContain(name)
      expect((await ledgerOf(cwd)).filter(({ path }) => path === `docs/${name}.md`)).toEqual([])
      await checkInvariants(cwd, { said: full.stderr })

      expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
      expect(hits()).toEqual({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 })
      await checkInvariants(cwd)
    },
  )

  it('F01 a full disk leaves no partial summary, and no request is repeated once there is space', async (context) => {
    const text = 'A long summary. '.repeat(2500)
    const { env, hits } = await countedService(() => ({ kind: 'answer', delayMs: 5, text }))
    const cwd = await createFolder(docs('a'))
    const out = join(cwd, 'summaries')
    await needMount(context, out, 'size=64k')
    const args = [...summarize, '--max-tokens', '64000']
    const full = await runInProcess(args, { cwd, env })
    expect(full.code).toBe(6)
    expect(full.stderr).toContain('a.md.summary.md: no space left on the device')
    expect(await filesBelow(out)).toEqual(['.claude-batch/journal.jsonl', '.claude-batch/ledger.jsonl'])

    await run('mount', ['-o', 'remount,size=1m', out])
    expect(await runInProcess(args, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1 })
    expect(await readFile(summaryIn(cwd, 'a'), 'utf8')).toBe(`${text.trimEnd()}\n`)
  })

  it('F01 a disk without space for the journal makes the run print the text that was paid for', async (context) => {
    const text = 'A long summary. '.repeat(5000)
    const { env } = await countedService(() => ({ kind: 'answer', delayMs: 5, text }))
    const cwd = await createFolder(docs('a'))
    await needMount(context, join(cwd, 'summaries'), 'size=64k')
    const args = [...summarize, '--max-tokens', '64000']
    const { code, stderr } = await runInProcess(args, { cwd, env })
    expect(code).toBe(6)
    expect(stderr).toMatch(
      /could not save the summary of .*; the next run sends and pays .* \(it cost \$0\.0\d+\); the summary/,
    )
    expect(stderr).toContain(text.trimEnd())
  })

  it('F01 ENOSPC while the journal is written prints the text and records its cost in the ledger', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs('a'))
    const faults = { do: 'ENOSPC', op: 'write', path: 'journal\\.jsonl$', short: true }
    const full = await runInProcess(summarize, { cwd, env, faults })
    expect(full.code).toBe(6)
    expect(full.stderr).toMatch(
      /the next run sends and pays for the request again \(it cost \$0\.0\d+\); the summary:\n\[simulated\]/,
    )
    const [pending] = await ledgerOf(cwd)
    expect(pending).toMatchObject({ path: 'docs/a.md', status: 'pending' })
    expect(pending?.cost_usd).toBeGreaterThan(0)
    expect(await summarized(cwd)).toBe('')

    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 2 })
    expect((await ledgerOf(cwd)).map(({ status }) => status)).toEqual(['pending', 'summarized'])
    await checkInvariants(cwd, { said: full.stderr })
  })

  it('F01 EIO after the journal has the whole text repeats no request and counts no cost twice', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs('a'))
    const faults = { do: 'EIO', op: 'sync', path: 'journal\\.jsonl$' }
    const first = await runInProcess(summarize, { cwd, env, faults })
    expect(first.code).toBe(6)
    expect(first.stderr).toContain('the next run saves it without sending a request')
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1 })
    expect((await ledgerOf(cwd)).map(({ status }) => status)).toEqual(['summarized'])
    await checkInvariants(cwd, { said: first.stderr })
  })

  it('F02 ENOSPC while the ledger is written leaves the summary, which the next run records', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs())
    const faults = { do: 'ENOSPC', op: 'write', path: 'ledger\\.jsonl$', short: true }
    const full = await runInProcess([...summarize, '--concurrency', '1'], { cwd, env, faults })
    expect(full.code).toBe(6)
    expect(full.stderr).toMatch(/cannot write .*ledger\.jsonl: no space left on the device/)
    expect(await summarized(cwd)).toContain('a')
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
    await checkInvariants(cwd, { said: full.stderr, cut: true })
  })
})

describe('an output folder that cannot be used', () => {
  it('F03 a read-only output folder is reported before anything is sent', async (context) => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs())
    await needMount(context, join(cwd, 'summaries'), 'ro')
    const { code, stderr } = await runInProcess(summarize, { cwd, env })
    expect(code).toBe(6)
    expect(stderr).toMatch(/summaries: the file system is read-only \(choose another place\)\n$/)
    expect(hits()).toEqual({})
  })

  it.each([
    ['with the name of a file', 'docs/a.md'],
    ['below a file', 'docs/a.md/summaries'],
  ])('F04 an output folder %s is a usage error', async (_, out) => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs())
    const { code, stderr } = await runInProcess([...summarize, '--out', out], { cwd, env })
    expect(code).toBe(2)
    expect(stderr).toContain('it is a file; name a folder')
    expect(hits()).toEqual({})
    expect(await filesBelow(cwd)).toEqual(Object.keys(docs()))
  })

  it('F06 an output folder that is deleted during the run ends it with 6, and the unsaved summary is printed', async () => {
    const removed = createGate()
    const { env, hits } = await countedService((name) =>
      name === 'b' ? answerAfter(removed.opened) : answer,
    )
    const cwd = await createFolder(docs('ab'))
    const recorded = async () => (await ledgerOf(cwd)).length > 0
    const ended = runInProcess(summarize, { cwd, env })
    await vi.waitUntil(recorded, longWait)
    await rm(join(cwd, 'summaries'), { recursive: true })
    removed.open()
    const { code, stderr } = await ended
    expect(code).toBe(6)
    expect(stderr).toContain(
      `could not save the summary of docs/b.md; the next run sends and pays for the request again`,
    )
    expect(stderr).toContain(`the summary:\n[simulated] ${sentence('b')}`)
    expect(stderr).toMatch(/cannot write .*b\.md\.summary\.md: no such directory/)
    expect(await readdir(cwd)).toEqual(['docs'])
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 2, b: 2 })
    await checkInvariants(cwd, { said: stderr })
  })

  it('F06 a ledger that is deleted during the run ends it with 6', async () => {
    const removed = createGate()
    const { env } = await countedService((name) => (name === 'b' ? answerAfter(removed.opened) : answer))
    const cwd = await createFolder(docs('ab'))
    const recorded = async () => (await ledgerOf(cwd)).length > 0
    const ended = runInProcess(summarize, { cwd, env })
    await vi.waitUntil(recorded, longWait)
    await rm(ledgerIn(cwd))
    removed.open()
    const { code, stderr } = await ended
    expect(code).toBe(6)
    expect(stderr).toMatch(/ledger\.jsonl was removed while it was written/)
  })
})

describe('an existing file at the path of a summary', () => {
  it('F05 a directory at the path is found before the document is sent', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs())
    await mkdir(summaryIn(cwd, 'b'), { recursive: true })
    const { code, stderr } = await runInProcess(summarize, { cwd, env })
    expect(code).toBe(1)
    expect(stderr).toContain('docs/b.md: a directory has the name of its summary')
    expect(hits()).toEqual({ a: 1, c: 1 })
    await rm(summaryIn(cwd, 'b'), { recursive: true })
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
    expect((await filesBelow(cwd)).filter((file) => file.endsWith('.error.txt'))).toEqual([])
    await checkInvariants(cwd, { said: stderr })
  })

  it('F14 an untracked file is kept unless --force is given', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder({ ...docs(), 'summaries/docs/b.md.summary.md': 'Mine.\n' })
    const { code, stderr } = await runInProcess(summarize, { cwd, env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/docs\/b\.md: the output file exists.*use --force to overwrite it/)
    expect(await readFile(summaryIn(cwd, 'b'), 'utf8')).toBe('Mine.\n')
    expect(await readFile(recordIn(cwd, 'b'), 'utf8')).toMatch(/^ERROR: output untracked: /)
    expect(hits()).toEqual({ a: 1, c: 1 })
    await checkInvariants(cwd, { said: stderr, touched: 'b' })

    expect(await runInProcess(['summarize', 'docs/b.md', '--force'], { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
    expect(await readdir(join(cwd, 'summaries/docs'))).toHaveLength(3)
    await checkInvariants(cwd)
  })

  it('F15 a summary that was edited by hand is kept unless --force is given', async () => {
    const { cwd, env, hits, again } = await done()
    await writeFile(summaryIn(cwd, 'a'), 'Better said.\n')
    await writeFile(summaryIn(cwd, 'b'), 'Better said.\n')
    await writeFile(join(cwd, 'docs/b.md'), `${sentence('b')} And more.\n`)
    const { code, stderr } = await again('-v')
    expect(code).toBe(1)
    expect(stderr).toContain('docs/a.md: skipped: unchanged; its summary was edited by hand and is kept')
    expect(stderr).toMatch(/docs\/b\.md: its summary was edited by hand.*use --force to overwrite it/)
    for (const name of 'ab') expect(await readFile(summaryIn(cwd, name), 'utf8')).toBe('Better said.\n')
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
    await checkInvariants(cwd, { said: stderr, touched: 'ab' })

    expect(await runInProcess(['summarize', 'docs/a.md', '--force'], { cwd, env })).toMatchObject({ code: 0 })
    expect(await readFile(summaryIn(cwd, 'a'), 'utf8')).toBe(summaryOf('a'))
  })

  it('F17 a link is never written through', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder({ ...docs(), '.bashrc': 'precious' })
    await mkdir(join(cwd, 'summaries/docs'), { recursive: true })
    await symlink(join(cwd, '.bashrc'), summaryIn(cwd, 'b'))
    await symlink(join(cwd, 'nowhere'), summaryIn(cwd, 'c'))
    const { code, stderr } = await runInProcess(summarize, { cwd, env })
    expect(code).toBe(1)
    for (const name of 'bc') expect(stderr).toContain(`docs/${name}.md: the output file exists`)
    expect(hits()).toEqual({ a: 1 })
    expect(await readlink(summaryIn(cwd, 'c'))).toBe(join(cwd, 'nowhere'))

    expect(await runInProcess([...summarize, '--force'], { cwd, env })).toMatchObject({ code: 0 })
    expect(await readFile(join(cwd, '.bashrc'), 'utf8')).toBe('precious')
    expect(await readdir(cwd)).not.toContain('nowhere')
    await checkInvariants(cwd, { said: stderr })
  })

  it('F17 a broken link in place of an earlier summary or an error record is kept', async () => {
    const { cwd, hits, again } = await done()
    const links = [summaryIn(cwd, 'a'), summaryIn(cwd, 'b'), recordIn(cwd, 'b')]
    for (const link of links) {
      await rm(link, { force: true })
      // The link itself has the size of the summary.
      await symlink('n'.repeat(summaryOf('a').length), link)
    }
    await writeFile(join(cwd, 'docs/b.md'), `${sentence('b')} And more.\n`)
    const { code, stderr } = await again('-v')
    expect(code).toBe(1)
    expect(stderr).toContain('docs/a.md: skipped: unchanged; its summary was edited by hand and is kept')
    expect(stderr).toMatch(/docs\/b\.md: its summary was edited by hand.*use --force to overwrite it/)
    for (const link of links) expect(await readlink(link)).toMatch(/^n+$/)
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
  })

  it('F18 a link that leads the folder elsewhere is found before the document is sent', async () => {
    const { env, hits } = await countedService()
    const [cwd, elsewhere] = [
      await createFolder({ ...docs('ac'), 'docs/deep/down/b.md': sentence('b') }),
      await createFolder({}),
    ]
    await mkdir(join(cwd, 'summaries/docs'), { recursive: true })
    await symlink(elsewhere, join(cwd, 'summaries/docs/deep'))
    for (const force of [[], ['--force']]) {
      const { code, stderr } = await runInProcess([...summarize, ...force], { cwd, env })
      expect(code).toBe(1)
      expect(stderr).toMatch(/docs\/deep\/down\/b\.md: .* behind a symbolic link, docs\/deep; remove/)
      expect(await readdir(elsewhere)).toEqual([])
      await checkInvariants(cwd, { said: stderr })
    }
    await rm(join(cwd, 'summaries/docs/deep'))
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toMatchObject({ b: 1 })
    await checkInvariants(cwd)
  })
})

describe('temporary files', () => {
  it('F08 temporary files are created in their target folder, not in TMPDIR', async () => {
    const { env } = await countedService()
    const [cwd, elsewhere] = [await createFolder(docs()), await createFolder({})]
    const log = join(await createFolder({}), 'operations')
    const faults = { log, op: 'rename|link|copyFile' }
    const ended = await runInProcess(summarize, { cwd, env: { ...env, TMPDIR: elsewhere }, faults })
    expect(ended).toMatchObject({ code: 0 })
    const moves = (await readFile(log, 'utf8')).matchAll(/^begin \w+ (\S+) (\S+)$/gm)
    const folders = [...moves].map(([, from = '', to = '']) => [dirname(from), dirname(to)])
    expect(folders).toHaveLength(5)
    for (const [from, to] of folders) expect(to).toBe(from)
    expect(await readdir(elsewhere)).toEqual([])
  })
})

describe('a damaged ledger', () => {
  it('F10 a torn last line is lost with one warning, and the next entry starts on a new line', async () => {
    const { cwd, hits, again } = await done()
    const before = await ledgerOf(cwd)
    const lost = before.at(-1)?.path.slice(5, 6) ?? ''
    // A kill while the last document's entry is written leaves this; the run end is missing, too.
    const text = await readFile(ledgerIn(cwd), 'utf8')
    await truncate(
      ledgerIn(cwd),
      text.indexOf('{"type":"run_end"', text.lastIndexOf(`docs/${lost}.md"`)) - 50,
    )
    const { code, stderr } = await again()
    expect(code).toBe(0)
    expect(stderr.match(/cannot be read/g)).toHaveLength(1)
    expect(stderr).toContain(`1 line of the ledger cannot be read (docs/${lost}.md) and is ignored`)
    expect(hits()).toEqual({ a: 1, b: 1, c: 1, [lost]: 2 })
    expect(await ledgerOf(cwd, { torn: true })).toHaveLength(3)
    await checkInvariants(cwd, { said: stderr, cut: true })
    expect(await again()).toMatchObject({ code: 0, stderr: expect.not.stringContaining('cannot be read') })
    expect(hits()).toEqual({ a: 1, b: 1, c: 1, [lost]: 2 })
  })

  it('F11 garbage and NULs in the middle are counted, and no other line is lost', async () => {
    const { cwd, hits, again } = await done()
    const lines = (await readFile(ledgerIn(cwd), 'utf8')).split('\n')
    await writeFile(
      ledgerIn(cwd),
      [...lines.slice(0, 2), '{"format_version":2,garbage', '\0'.repeat(500), ...lines.slice(2)].join('\n'),
    )
    const { code, stderr } = await again()
    expect(code).toBe(0)
    expect(stderr).toContain('2 lines of the ledger cannot be read and are ignored')
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
    await checkInvariants(cwd, { said: stderr, cut: true })
  })

  it('F11 garbage in the middle changes no totals, before and after the damaged ledger was moved aside', async () => {
    const { cwd, env, again } = await done()
    const report = async () => (await runInProcess(['report'], { cwd, env })).stdout
    const sums = /all +1 run +3 +0 +\S+ +\S+ +\$\S+/
    const [before] = sums.exec(await report()) ?? []
    const lines = (await readFile(ledgerIn(cwd), 'utf8')).split('\n')
    const damaged = [
      ...lines.slice(0, 2),
      '{"format_version":2,garbage',
      '\0'.repeat(500),
      ...lines.slice(2),
    ].join('\n')
    await writeFile(ledgerIn(cwd), damaged)
    expect(await report()).toContain('2 lines of the ledger cannot be read')
    expect(sums.exec(await report())?.[0]).toBe(before)
    expect(await again()).toMatchObject({ code: 0 })
    expect(await readFile(`${ledgerIn(cwd)}.damaged`, 'utf8')).toBe(damaged)
    expect(await report()).not.toContain('cannot be read')
    expect(sums.exec(await report())?.[0]).toBe(before)
  })

  it('F12 a ledger of a newer version is left unchanged', async () => {
    const { cwd, hits, again } = await done()
    const newer = (await readFile(ledgerIn(cwd), 'utf8')).replaceAll(
      '"format_version":2',
      '"format_version":3',
    )
    await writeFile(ledgerIn(cwd), newer)
    await writeFile(join(cwd, 'docs/d.md'), sentence('d'))
    const { code, stderr } = await again()
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /ledger\.jsonl was written by a newer claude-batch \(format 3\); update claude-batch, or use another --out\n$/,
    )
    expect(hits()).toEqual({ a: 1, b: 1, c: 1 })
    expect(await readFile(ledgerIn(cwd), 'utf8')).toBe(newer)
    expect(await readdir(dirname(ledgerIn(cwd)))).toEqual(['journal.jsonl', 'ledger.jsonl'])
  })
})

describe('an earlier summary', () => {
  it('F13 a deleted summary is made again, and no other', async () => {
    const { cwd, hits, again } = await done({ refused: true })
    await rm(summaryIn(cwd, 'b'))
    // The simulator rejects the second request for b and answers the third.
    expect(await again()).toMatchObject({ code: 1 })
    const { code, stderr } = await again()
    expect(code).toBe(0)
    expect(stderr).toMatch(/redone +1 \(summary deleted\)/)
    expect(hits()).toEqual({ a: 1, b: 3, c: 1 })
    await checkInvariants(cwd, { said: stderr })
  })

  it('F16 a summary is kept if its changed document fails, and a success removes the error record', async () => {
    const { cwd, env, hits, again } = await done({ refused: true })
    await writeFile(join(cwd, 'docs/b.md'), `\n${sentence('b')}\n`)
    const { code, stderr } = await again()
    expect(code).toBe(1)
    expect(await readFile(recordIn(cwd, 'b'), 'utf8')).toMatch(/^ERROR: 400 invalid_request_error: /)
    expect((await ledgerOf(cwd)).at(-1)).toMatchObject({ path: 'docs/b.md', status: 'failed' })
    await checkInvariants(cwd, { said: stderr })
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 1, b: 3, c: 1 })
    expect(await readdir(join(cwd, 'summaries/docs'))).toHaveLength(3)
    await checkInvariants(cwd)
  })

  it('F16 error records are removed without a request once the earlier summaries are up to date', async () => {
    const { cwd, env, hits, again } = await done({ refused: true })
    expect(await again('--redo', 'all')).toMatchObject({ code: 1 })
    expect(await readdir(join(cwd, 'summaries/docs'))).toHaveLength(6)
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(await readdir(join(cwd, 'summaries/docs'))).toHaveLength(3)
    expect(hits()).toEqual({ a: 2, b: 2, c: 2 })
    await checkInvariants(cwd)
  })
})

describe('a rename', () => {
  it('F19 a rename that fails briefly is retried; one that keeps failing ends the run with 6', async () => {
    const { env, hits } = await countedService()
    const cwd = await createFolder(docs())
    const path = 'docs/a\\.md\\.summary\\.md$'
    const moment = { do: 'EPERM', times: 3, op: 'rename', path }
    expect(await runInProcess(summarize, { cwd, env, faults: moment })).toMatchObject({ code: 0 })
    await rm(summaryIn(cwd, 'a'))
    const forEver = { ...moment, do: 'EBUSY', times: 1e9 }
    const { code, stderr } = await runInProcess(summarize, { cwd, env, faults: forEver })
    expect(code).toBe(6)
    await checkInvariants(cwd, { said: stderr, touched: 'a' })
    expect(await runInProcess(summarize, { cwd, env })).toMatchObject({ code: 0 })
    expect(hits()).toEqual({ a: 2, b: 1, c: 1 })
  })
})
