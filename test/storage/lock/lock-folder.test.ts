import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs, { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createProcessRuntime } from '../../../src/runtime.ts'
import { findLock } from '../../../src/storage/lock/find-lock.ts'
import { lockFolder, removeLock } from '../../../src/storage/lock/lock-folder.ts'
import {
  createLockOwner,
  type LockOwner,
  readProcessStartFromPs,
} from '../../../src/storage/lock/lock-owner.ts'
import { injectFaults } from '../../support/fault-fs.mjs'
import { createFolder } from '../../support/run-cli.ts'
import { has } from '../../support/system.ts'

const { isRunning, pid } = createProcessRuntime()
let locks = 0
const self = () => createLockOwner(pid, '2026-11-22T03:00:00.000Z', `nonce${++locks}`)
const lock = async (folder: string, tookOver: (dead: LockOwner) => void = () => {}) =>
  lockFolder(folder, { self: await self(), isRunning, onTakeover: tookOver })
/** A process id that no process has: the highest one of Linux is 2²². */
const unusedPid = 4_194_305

/** Returns an `isRunning` that is true for the first `times` calls. */
function seen(times: number): () => boolean {
  let left = times
  return () => left-- > 0
}

/** Runs `work` right before the first rename of a file. @returns a function that removes this hook */
function beforeRename(work: () => void): () => void {
  const { renameSync } = fs
  let renames = 0
  fs.renameSync = (from, to) => {
    if (renames++ === 0) work()
    renameSync(from, to)
  }
  syncBuiltinESMExports()
  return () => {
    fs.renameSync = renameSync
    syncBuiltinESMExports()
  }
}

async function folderHeldBy(change: Partial<LockOwner>): Promise<string> {
  return createFolder({ lock: JSON.stringify({ ...(await self()), ...change }) })
}

/** What may be in the place of a lock, and how it gets there. */
const obstacles: readonly (readonly [name: string, put: (file: string) => Promise<void>])[] = [
  ['an endless device', (file) => symlink('/dev/zero', file)],
  ['a pipe', async (file) => void execFileSync('mkfifo', [file])],
  ['a broken link', (file) => symlink('nowhere', file)],
]

describe('lockFolder', () => {
  it('locks a folder for one run at a time, and leaves nothing behind', async () => {
    const folder = await createFolder({})
    const unlock = await lock(folder)
    await expect(lock(folder)).rejects.toMatchObject({
      exit: 'locked',
      message: expect.stringMatching(`process ${pid} on .*, since 2026-11-22T03:00:00.000Z$`),
    })
    expect(await readdir(folder)).toEqual(['lock'])
    await unlock()
    expect(await readdir(folder)).toEqual([])
    await (await lock(folder))()
  })

  it.each<[string, Partial<LockOwner>]>([
    ['died', { pid: unusedPid }],
    ['died, and whose process id was reused', { began: '1' }],
    ['ended with a reboot of the machine', { boot: 'before', machine: undefined as never }],
  ])('takes over from a lock owner that %s, and reports it', async (_name, change) => {
    const me = await self()
    const machine = 'machine' in change ? { machine: me.machine || 'm' } : {}
    const folder = await folderHeldBy({ ...change, ...machine })
    const told: LockOwner[] = []
    const onTakeover = (dead: LockOwner) => told.push(dead)
    const unlock = await lockFolder(folder, { self: { ...me, ...machine }, isRunning, onTakeover })
    expect(told).toHaveLength(1)
    expect(JSON.parse(await readFile(join(folder, 'lock'), 'utf8'))).toMatchObject({ nonce: me.nonce })
    expect(await readdir(folder)).toEqual(['lock'])
    await unlock()
  })

  it.runIf(has.proc)('takes over from a lock owner that is a zombie process', async () => {
    // After `exec`, the shell's child has a parent that never waits for it.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 601'])
    onTestFinished(() => void parent.kill())
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const zombie = Number(line)
    const procText = (of: number, what: string) => () => readFile(`/proc/${of}/${what}`, 'utf8')
    await expect.poll(procText(parent.pid ?? 0, 'cmdline')).toMatch(/^sleep/)
    process.kill(zombie)
    await expect.poll(procText(zombie, 'stat')).toMatch(/\) Z /)
    const folder = await folderHeldBy(await createLockOwner(zombie, '2026-11-22T03:00:00.000Z', 'zombie'))
    const dead: LockOwner[] = []
    await (await lock(folder, (holder) => void dead.push(holder)))()
    expect(dead.map(({ pid }) => pid)).toEqual([zombie])
  })

  it.each<[string, Partial<LockOwner>]>([
    ['on another machine', { host: 'elsewhere', pid: unusedPid }],
    ['in another container', { namespace: 'pid:[1]', pid: unusedPid }],
    ['on another machine of the same name', { boot: 'another', machine: '', pid: unusedPid }],
  ])(
    'never takes over from a lock owner %s, which cannot be checked, and reports what to do',
    async (_name, change) => {
      const folder = await folderHeldBy(change)
      await expect(lock(folder)).rejects.toMatchObject({
        exit: 'locked',
        message: expect.stringContaining(
          `if that run is over, remove its lock with: claude-batch unlock ${dirname(folder)}`,
        ),
      })
    },
  )

  it.each(['', 'garbage', '{}', '{"pid":"x"}'])('refuses an unreadable lock: %j', async (content) => {
    const folder = await createFolder({ lock: content })
    await expect(lock(folder)).rejects.toMatchObject({ exit: 'locked' })
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(content)
  })

  const possible = obstacles.filter(([name]) => has.pipes || name !== 'a pipe')
  it.each(possible)('refuses a lock that is %s', async (_, put) => {
    const folder = await createFolder({})
    await put(join(folder, 'lock'))
    await expect(lock(folder)).rejects.toMatchObject({
      exit: 'ioError',
      message: expect.stringMatching(
        /lock: it is (a symbolic link|not a regular file); move it out of the way$/,
      ),
    })
  })

  it('gives the stale lock to exactly one of many concurrent runs', async () => {
    for (let round = 0; round < 20; round++) {
      const folder = await folderHeldBy({ pid: unusedPid, nonce: `dead${round}` })
      const results = await Promise.allSettled(Array.from({ length: 20 }, () => lock(folder)))
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(await readdir(folder)).toEqual(['lock'])
    }
  })

  it('leaves a stale lock to the run that took it over in the meantime, and never moves that lock', async () => {
    const folder = await folderHeldBy({ pid: unusedPid, nonce: 'dead' })
    const other = JSON.stringify({ ...(await self()), nonce: 'other' })
    const moved: string[] = []
    const restore = beforeRename(() => {
      moved.push(readFileSync(join(folder, 'lock'), 'utf8'))
    })
    try {
      // While this run checks whether the dead owner is running, another one takes over the lock.
      const takenOver = (id: number) => {
        if (id === unusedPid) writeFileSync(join(folder, 'lock'), other)
        return id !== unusedPid
      }
      const locking = lockFolder(folder, { self: await self(), isRunning: takenOver, onTakeover: () => {} })
      await expect(locking).rejects.toMatchObject({ exit: 'locked' })
    } finally {
      restore()
    }
    expect(moved).toEqual([])
    expect(await readdir(folder)).toEqual(['lock'])
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(other)
  })

  it('puts back a lock that replaced the stale one at the last moment', async () => {
    const folder = await folderHeldBy({ pid: unusedPid, nonce: 'dead' })
    const other = JSON.stringify({ ...(await self()), nonce: 'other' })
    const restore = beforeRename(() => writeFileSync(join(folder, 'lock'), other))
    try {
      await expect(lock(folder)).rejects.toMatchObject({ exit: 'locked' })
    } finally {
      restore()
    }
    expect(await readdir(folder)).toEqual(['lock'])
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(other)
  })

  it('finishes a takeover during which another process died', async () => {
    const dead = { pid: unusedPid, nonce: 'dead' }
    const folder = await folderHeldBy(dead)
    await writeFile(
      join(folder, 'lock-dead'),
      JSON.stringify({ ...(await self()), pid: unusedPid, nonce: 'dead too' }),
    )
    await (await lock(folder))()
    expect(await readdir(folder)).toEqual([])
  })

  it('removes the temporary files of processes that died while they locked, and no others', async () => {
    const folder = await createFolder({})
    const put = async (name: string, holder: object) =>
      writeFile(join(folder, name), JSON.stringify({ ...(await self()), ...holder }))
    await put('lock-dead.tmp', { pid: unusedPid, nonce: 'dead' })
    const others = ['lock-alive.tmp', 'lock-elsewhere.tmp', 'lock-renamed.tmp', 'lock-torn.tmp']
    await put('lock-alive.tmp', { nonce: 'alive' })
    await put('lock-elsewhere.tmp', { pid: unusedPid, nonce: 'elsewhere', host: 'elsewhere' })
    await put('lock-renamed.tmp', { pid: unusedPid, nonce: 'dead' })
    await writeFile(join(folder, 'lock-torn.tmp'), '{"pid":')
    await (await lock(folder))()
    expect((await readdir(folder)).sort()).toEqual(others.sort())
  })

  it('does not remove a lock that another run owns now', async () => {
    const folder = await createFolder({})
    const unlock = await lock(folder)
    await writeFile(join(folder, 'lock'), JSON.stringify({ ...(await self()), nonce: 'another' }))
    await unlock()
    expect(await readdir(folder)).toEqual(['lock'])
  })

  describe('without free file descriptors', () => {
    const readsFail = (path: string) => injectFaults({ do: 'EMFILE', times: 1e9, op: 'open|readFile', path })
    afterEach(() => injectFaults({}))

    it('unlocks the folder, unless another run owns the lock now', async () => {
      const folder = await createFolder({})
      const unlock = await lock(folder)
      readsFail('lock$')
      await unlock()
      expect(await readdir(folder)).toEqual([])

      injectFaults({})
      const again = await lock(folder)
      await rm(join(folder, 'lock'))
      await writeFile(join(folder, 'lock'), JSON.stringify({ ...(await self()), nonce: 'another' }))
      readsFail('lock$')
      await again()
      expect(await readdir(folder)).toEqual(['lock'])
    })

    it.each(has.proc ? ['lock$', '^/proc/'] : ['lock$'])(
      'never treats a running owner as dead, or its lock as unreadable: %s',
      async (path) => {
        const folder = await createFolder({})
        const [first, second] = [await self(), await self()]
        const unlock = await lockFolder(folder, { self: first, isRunning, onTakeover: () => {} })
        readsFail(path)
        await expect(
          lockFolder(folder, { self: second, isRunning, onTakeover: () => {} }),
        ).rejects.toMatchObject({ exit: 'ioError', message: expect.stringContaining('too many open files') })
        injectFaults({})
        await unlock()
        expect(await readdir(folder)).toEqual([])
      },
    )
  })

  describe('without /proc', () => {
    beforeEach(() =>
      injectFaults({ do: 'ENOENT', times: 1e9, op: 'open|readFile|readlink', path: '^/proc/' }),
    )
    afterEach(() => injectFaults({}))

    it('detects a reused process id with ps', async (context) => {
      const { began } = await self()
      if (began === '') context.skip('there is no ps that tells when a process began')
      expect(await readProcessStartFromPs(pid)).toBe(began)
      expect(await readProcessStartFromPs(unusedPid)).toBe('')
      const living = await folderHeldBy({})
      await expect(lock(living)).rejects.toMatchObject({ message: expect.not.stringContaining('unlock') })
      const dead = await folderHeldBy({ began: 'Thu Jan  1 00:00:00 2026' })
      await (await lock(dead))()
    })

    it.each([
      ['the lock has no start time of its owner', { began: '' }, isRunning, true],
      ['the start time of the process is unknown', { pid: unusedPid, began: 'x' }, () => true, true],
      ['it ends during the check', { pid: unusedPid, began: 'x' }, seen(1), false],
    ])('treats a process that may be the owner as running: %s', async (_why, change, isRunning, isHeld) => {
      const folder = await folderHeldBy(change)
      const locking = lockFolder(folder, { self: await self(), isRunning, onTakeover: () => {} })
      if (isHeld)
        await expect(locking).rejects.toMatchObject({
          exit: 'locked',
          message: expect.stringContaining('claude-batch unlock'),
        })
      else await expect(locking).resolves.toBeTypeOf('function')
    })
  })

  it('treats a process of another user that /proc hides as running', async () => {
    const folder = await folderHeldBy({ pid: unusedPid })
    await expect(
      lockFolder(folder, { self: await self(), isRunning: () => true, onTakeover: () => {} }),
    ).rejects.toMatchObject({ exit: 'locked' })
  })

  it('reports a folder that cannot contain a lock', async () => {
    const folder = await createFolder({})
    await mkdir(join(folder, 'f'))
    await expect(lock(join(folder, 'gone'))).rejects.toMatchObject({ exit: 'ioError' })
  })
})

describe('removeLock', () => {
  const elsewhere = { host: 'a container that is gone', pid: 1 }
  const remove = async (folder: string, identity: string) =>
    removeLock(folder, identity, { self: await self(), isRunning })

  it('removes the given lock, but not one that replaced it', async () => {
    const folder = await folderHeldBy({ ...elsewhere, nonce: 'gone' })
    expect(await remove(folder, 'another')).toBe(false)
    expect(await remove(folder, 'gone')).toBe(true)
    expect(await remove(folder, 'gone')).toBe(false)
    expect(await readdir(folder)).toEqual([])
    const unlock = await lock(folder)
    expect(await remove(folder, 'gone')).toBe(false)
    expect(await readdir(folder)).toEqual(['lock'])
    await unlock()
  })

  it('puts back a lock that replaced the given one at the last moment', async () => {
    const folder = await folderHeldBy({ ...elsewhere, nonce: 'gone' })
    const other = JSON.stringify({ ...(await self()), nonce: 'other' })
    // Between the check and the removal, the owner ends and another run locks the folder.
    const restore = beforeRename(() => writeFileSync(join(folder, 'lock'), other))
    try {
      expect(await remove(folder, 'gone')).toBe(false)
    } finally {
      restore()
    }
    expect(await readdir(folder)).toEqual(['lock'])
    expect(await findLock(join(folder, 'lock'))).toMatchObject({ identity: 'other' })
  })

  it('never lets two runs lock the folder, even with many concurrent removals', async () => {
    for (let round = 0; round < 20; round++) {
      const folder = await folderHeldBy({ ...elsewhere, nonce: `gone${round}` })
      const removals = Array.from({ length: 10 }, () => remove(folder, `gone${round}`))
      const locks = Array.from({ length: 10 }, () => lock(folder))
      const [removed, locked] = await Promise.all([Promise.allSettled(removals), Promise.allSettled(locks)])
      expect(removed.filter((it) => it.status === 'fulfilled' && it.value).length).toBeLessThanOrEqual(1)
      expect(locked.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
      for (const it of [...removed, ...locked])
        if (it.status === 'rejected') expect(it.reason).toMatchObject({ exit: 'locked' })
    }
  })

  it('removes the file of a process on another host that died during a takeover', async () => {
    const folder = await folderHeldBy({ pid: unusedPid, nonce: 'dead' })
    const right = { ...(await self()), ...elsewhere, nonce: 'gone' }
    await writeFile(join(folder, 'lock-dead'), JSON.stringify(right))
    await expect(lock(folder)).rejects.toMatchObject({
      message: expect.stringContaining('claude-batch unlock'),
    })
    expect(await remove(folder, 'dead')).toBe(true)
    expect(await readdir(folder)).toEqual([])
  })
})
