import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { toReadError } from '../fs/disk-error.ts'

/** Who holds a lock: one process, told apart from all others there are or were. */
export interface LockOwner extends LockingProgram {
  readonly pid: number
  readonly host: string
  /** Ids of the machine, of its present boot and of the process's namespace; '' where the system has no such thing. */
  readonly machine: string
  readonly boot: string
  readonly namespace: string
  /** When the process began, in the system's own words: tells a process id that is used again from its first user. */
  readonly began: string
  /** ISO 8601, for people. */
  readonly since: string
  /** This lock's own. */
  readonly nonce: string
}

/** What the process runs, for people. */
export interface LockingProgram {
  /** `summarize` */
  readonly command: string
  readonly version: string
}

/** This process. @throws ExitError `ioError` where no file can be opened */
export async function createLockOwner(
  pid: number,
  since: string,
  nonce: string,
  { command, version }: LockingProgram = { command: '', version: '' },
): Promise<LockOwner> {
  return {
    pid,
    host: hostname(),
    machine: hashMachineId(await readTrimmed('/etc/machine-id')),
    boot: await readTrimmed('/proc/sys/kernel/random/boot_id'),
    namespace: await readlink('/proc/self/ns/pid').catch(() => ''),
    began: await readProcessStart(pid),
    since,
    nonce,
    command,
    version,
  }
}

/**
 * What became of a holder, as far as another process can tell. `elsewhere`: it is on another machine or in another
 * container, which cannot be seen from here. `uncertain`: a process has its id, and may be another one.
 */
export type OwnerStatus = 'alive' | 'dead' | 'elsewhere' | 'uncertain'

/** @throws ExitError `ioError` where no file can be opened */
export async function determineOwnerStatus(
  owner: LockOwner,
  self: LockOwner,
  isRunning: (pid: number) => boolean,
): Promise<OwnerStatus> {
  if (owner.host !== self.host) return 'elsewhere'
  if (owner.boot !== self.boot)
    return owner.machine !== '' && owner.machine === self.machine ? 'dead' : 'elsewhere'
  if (owner.namespace !== self.namespace) return 'elsewhere'
  if (!isRunning(owner.pid)) return 'dead'
  if (/^[ZX]$/.test((await readProcessStat(owner.pid))[0] ?? '')) return 'dead' // It ended, and its parent never asked.
  const startTime = await readProcessStart(owner.pid)
  if (startTime !== '' && owner.began !== '') return startTime === owner.began ? 'alive' : 'dead'
  // It may have ended while we looked.
  return isRunning(owner.pid) ? 'uncertain' : 'dead'
}

/** When a process began; '' where that cannot be found out: not for a process that is hidden, and not on Windows. */
async function readProcessStart(pid: number): Promise<string> {
  const fields = await readProcessStat(pid)
  if (fields.length > 0) return fields[19] ?? ''
  return (await readTrimmed('/proc/self/stat')) === '' ? readProcessStartFromPs(pid) : ''
}

/** What Linux tells of a process, from the third field of proc_pid_stat(5) on, its state; nothing where it tells nothing. */
async function readProcessStat(pid: number): Promise<readonly string[]> {
  const stat = await readTrimmed(`/proc/${pid}/stat`)
  // The second field may itself hold blanks and brackets.
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** The same where there is no `/proc`, as on macOS and BSD; '' where `ps` cannot tell either. */
export function readProcessStartFromPs(pid: number): Promise<string> {
  // In words and a time zone that do not depend on who asks, or when.
  const env = { LC_ALL: 'C', TZ: 'UTC' }
  return new Promise((resolve) => {
    execFile('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { env, timeout: 5000 }, (error, stdout) =>
      resolve(error === null && /\d{4}\s*$/.test(stdout) ? stdout.trim() : ''),
    )
  })
}

function readTrimmed(file: string): Promise<string> {
  return readFile(file, 'utf8').then(
    (content) => content.trim(),
    (error: NodeJS.ErrnoException) => {
      // What is there and cannot be opened for now must not pass for what is not: a living holder would look dead.
      if (error.code === 'EMFILE' || error.code === 'ENFILE') throw toReadError(file, error)
      return ''
    },
  )
}

/** The machine's id is not to be spread: see machine-id(5). */
function hashMachineId(id: string): string {
  return id === '' ? '' : hash('sha256', `claude-batch ${id}`).slice(0, 16)
}
