import { execFileSync } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProcessRuntime } from '../../src/runtime.ts'
import { createLockOwner, type LockOwner } from '../../src/storage/lock/lock-owner.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const { pid, isRunning } = createProcessRuntime()
/** A process id that no process has: the highest on Linux is 2²². */
const unusedPid = 4_194_305
const elsewhere = { host: 'a-container-that-is-gone', pid: 7 }

/** An output folder with the lock of the test process, except for the given changes. */
async function lockedBy(change: Partial<Record<keyof LockOwner, unknown>>) {
  const program = { command: 'summarize', version: '1.2.3' }
  const self = await createLockOwner(pid, '2026-11-22T10:00:00.000Z', 'abcdef012345', program)
  return folderLocked(JSON.stringify({ ...self, ...change }))
}

async function folderLocked(content?: string) {
  const cwd = await createFolder({
    'docs/a.md': 'The ferry sails at nine.\n',
    'summaries/.claude-batch/ledger.jsonl': '',
  })
  const lock = join(cwd, 'summaries/.claude-batch/lock')
  if (content !== undefined) await writeFile(lock, content)
  const run = (args: readonly string[], options: Partial<Parameters<typeof runInProcess>[1]> = {}) =>
    runInProcess(args, { cwd, isRunning, ...options })
  const left = () => readdir(join(cwd, 'summaries/.claude-batch'))
  return { cwd, lock, run, left }
}

const unlock = ['unlock']
const summarize = ['summarize', 'docs', '--simulate', '-q']

describe('unlock', () => {
  it('removes the lock of a deleted container, so that the next run can start', async () => {
    const { run, left } = await lockedBy(elsewhere)
    const before = await run(summarize)
    expect(before).toMatchObject({ code: 7 })
    const [, command = '', folder = ''] = /claude-batch (unlock) (\S+?);/.exec(before.stderr) ?? []
    const { code, stdout, stderr } = await run([command, folder, '--yes'])
    expect([code, stdout]).toEqual([0, ''])
    expect(stderr).toBe(
      `claude-batch: ${folder} is locked by process 7 on a-container-that-is-gone, since 2026-11-22T10:00:00.000Z (claude-batch 1.2.3 summarize); it was started on another machine or in another container, so claude-batch cannot see whether it is running\nclaude-batch: the lock of ${folder} is removed\n`,
    )
    expect(await left()).toEqual(['ledger.jsonl'])
    expect(await run(summarize)).toMatchObject({ code: 0 })
  })

  it('asks on a terminal, and removes the lock only after a yes', async () => {
    const { run, left } = await lockedBy(elsewhere)
    const no = await run(unlock, { confirmAnswer: false })
    expect(no).toMatchObject({ code: 7, stderr: expect.stringContaining('Remove the lock? Only do so if') })
    expect(no.stderr).toContain('claude-batch: summaries stays locked\n')
    expect(await left()).toContain('lock')
    expect(await run(unlock, { confirmAnswer: true })).toMatchObject({ code: 0 })
    expect(await left()).not.toContain('lock')
  })

  it('needs --yes without a terminal', async () => {
    const { run, left } = await lockedBy(elsewhere)
    const { code, stderr } = await run(unlock)
    expect([code, stderr]).toEqual([2, expect.stringContaining('no terminal to confirm on; give --yes')])
    expect(await left()).toContain('lock')
  })

  it.each([[], ['--yes']])('never removes the lock of a running process: %j', async (...more) => {
    const { run, left } = await lockedBy({})
    const { code, stderr } = await run([...unlock, ...more], { confirmAnswer: true })
    expect([code, stderr]).toEqual([
      7,
      expect.stringContaining(`it is running: wait until it ends, or stop it with: kill ${pid}`),
    ])
    expect(await left()).toContain('lock')
  })

  it.each<[string, Partial<LockOwner>, string]>([
    ['is dead', { pid: unusedPid }, 'that process is no longer running'],
    ['is dead although another process has its id', { began: '1' }, 'that process is no longer running'],
    ['may be dead although a process has its id', { began: '' }, 'a process with this id is running'],
  ])('removes the lock of an owner that %s', async (_what, change, words) => {
    const { run, left } = await lockedBy(change)
    const { code, stderr } = await run([...unlock, '-y'])
    expect([code, stderr]).toEqual([0, expect.stringContaining(words)])
    expect(await left()).toEqual(['ledger.jsonl'])
  })

  it('reports that a folder is not locked', async () => {
    const { run } = await folderLocked()
    expect(await run(unlock)).toMatchObject({ code: 0, stderr: 'claude-batch: summaries is not locked\n' })
  })

  it.each(['nowhere', 'docs', 'docs/a.md'])('reports that %s is not an output folder', async (dir) => {
    const { run } = await folderLocked()
    expect(await run([...unlock, dir, '--yes'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`there is no output folder at ${dir}`),
    })
  })

  it('does not remove the lock of another run that replaced the displayed lock', async () => {
    const { run, lock, left } = await lockedBy(elsewhere)
    const other = JSON.stringify({ ...(await createLockOwner(pid, '2026-11-22T11:00:00.000Z', 'other')) })
    const confirmAnswer = async () => {
      await rm(lock)
      await writeFile(lock, other)
      return true
    }
    const { code, stderr } = await run(unlock, { confirmAnswer })
    expect([code, stderr]).toEqual([0, expect.stringContaining('no longer exists; nothing was removed')])
    expect(await readFile(lock, 'utf8')).toBe(other)
    expect(await left()).toEqual(['ledger.jsonl', 'lock'])
  })

  it('does not remove a damaged lock that replaced another damaged lock', async () => {
    const { run, lock } = await folderLocked('garbage')
    const confirmAnswer = async () => {
      await rm(lock)
      await writeFile(lock, 'other garbage')
      return true
    }
    expect(await run(unlock, { confirmAnswer })).toMatchObject({ code: 0 })
    expect(await readFile(lock, 'utf8')).toBe('other garbage')
  })
})

describe('unlock with a lock that claude-batch did not write', () => {
  it.each<[string, (lock: string, cwd: string) => Promise<void>]>([
    ['garbage', (lock) => writeFile(lock, '\0\x1b[2J')],
    ['an empty file', (lock) => writeFile(lock, '')],
    ['JSON with other types', (lock) => writeFile(lock, '{"pid": "7", "nonce": 7}')],
    ['an invalid process id', (lock) => writeFile(lock, '{"pid": -1, "nonce": "n"}')],
    ['a nonce that is a path', (lock) => writeFile(lock, '{"pid": 7, "nonce": "/../../../docs/a.md"}')],
    ['a very long nonce', (lock) => writeFile(lock, `{"pid": 7, "nonce": "${'n'.repeat(5000)}"}`)],
    ['a huge file', (lock) => writeFile(lock, '').then(() => truncate(lock, 50_000_000_000))],
    ['a pipe', async (lock) => void execFileSync('mkfifo', [lock])],
    ['a dangling link', (lock) => symlink('nowhere', lock)],
    ['a link to a document', (lock, cwd) => symlink(join(cwd, 'docs/a.md'), lock)],
  ])('removes the lock and nothing else: %s', async (_what, put) => {
    const { cwd, lock, run, left } = await folderLocked()
    await put(lock, cwd)
    const { code, stderr } = await run([...unlock, '--yes'])
    expect([code, stderr]).toEqual([0, expect.stringContaining('the lock of summaries is removed')])
    expect(await left()).toEqual(['ledger.jsonl'])
    expect(await readFile(join(cwd, 'docs/a.md'), 'utf8')).toBe('The ferry sails at nine.\n')
  })

  it('prints the content of the lock without control characters', async () => {
    const hostile = '\x1b]0;pwned\x07\n\u202ereversed'
    const { run } = await lockedBy({ host: hostile, since: hostile, command: hostile, version: 7 })
    const { code, stderr } = await run([...unlock, '--yes'])
    expect(code).toBe(0)
    expect(stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/)
    expect(stderr.trimEnd().split('\n')).toHaveLength(2)
  })

  it('does not follow a link to the state folder', async () => {
    const { cwd, run, left } = await lockedBy(elsewhere)
    await mkdir(join(cwd, 'other'))
    await symlink('../summaries/.claude-batch', join(cwd, 'other/.claude-batch'))
    expect(await run([...unlock, 'other', '--yes'])).toMatchObject({ code: 6 })
    expect(await left()).toContain('lock')
  })

  it('does not remove a folder with the name of the lock', async () => {
    const { run, lock } = await folderLocked()
    await mkdir(lock)
    await writeFile(join(lock, 'mine'), '')
    expect(await run([...unlock, '--yes'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('is a folder, which claude-batch never creates'),
    })
    expect((await lstat(lock)).isDirectory()).toBe(true)
  })
})
