import { hash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { toReadError } from '../fs/disk-error.ts'

/**
 * The process that holds a lock, with enough data to distinguish it from every other process, past or
 * present.
 */
export interface LockOwner extends LockingProgram {
  readonly pid: number
  readonly host: string
  /**
   * Ids of the machine, of its current boot and of the process's PID namespace; '' if the system has none.
   */
  readonly machine: string
  readonly boot: string
  readonly namespace: string
  /** When the process started, in the system's format. Distinguishes processes that had the same id. */
  readonly began: string
  /** When the lock was taken (ISO 8601), for messages. */
  readonly since: string
  /** Unique to this lock. */
  readonly nonce: string
}

/** The command that the process runs, for messages. */
export interface LockingProgram {
  /** `summarize` */
  readonly command: string
  readonly version: string
}

/**
 * Describes this process as a lock owner.
 * @throws ExitError `ioError` if the process has too many open files
 */
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
 * The state of a lock owner. `elsewhere`: it is on another machine or in another container, which this
 * process cannot check. `uncertain`: a process has its id, but may be another process.
 */
export type OwnerStatus = 'alive' | 'dead' | 'elsewhere' | 'uncertain'

/**
 * Determines whether the owner of a lock is running.
 * @throws ExitError `ioError` if too many files are open
 */
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
  // A zombie: the process has exited, and its parent has not collected its exit status.
  if (/^[ZX]$/.test((await readProcessStat(owner.pid))[0] ?? '')) return 'dead'
  const startTime = await readProcessStart(owner.pid)
  if (startTime !== '' && owner.began !== '') return startTime === owner.began ? 'alive' : 'dead'
  // The process may have exited since the first check.
  return isRunning(owner.pid) ? 'uncertain' : 'dead'
}

/** Returns when a process started; '' if that is unknown, as for a hidden process and on Windows. */
async function readProcessStart(pid: number): Promise<string> {
  const fields = await readProcessStat(pid)
  if (fields.length > 0) return fields[19] ?? ''
  return (await readTrimmed('/proc/self/stat')) === '' ? readProcessStartFromPs(pid) : ''
}

/**
 * Returns the fields of proc_pid_stat(5) from the third on, the state; empty if there is no such process or
 * `/proc`.
 */
async function readProcessStat(pid: number): Promise<readonly string[]> {
  const stat = await readTrimmed(`/proc/${pid}/stat`)
  // The second field may itself contain spaces and parentheses.
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/**
 * Returns when a process started on systems without `/proc`, such as macOS and BSD; '' if `ps` does not know.
 */
export async function readProcessStartFromPs(pid: number): Promise<string> {
  const { execFile } = await import('node:child_process')
  // The output must not depend on the user's locale and time zone.
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
      // If too many files are open, the file must not count as missing: a running owner would appear dead.
      if (error.code === 'EMFILE' || error.code === 'ENFILE') throw toReadError(file, error)
      return ''
    },
  )
}

/** Hashes the machine id, which must not be disclosed: see machine-id(5). */
function hashMachineId(id: string): string {
  return id === '' ? '' : hash('sha256', `claude-batch ${id}`).slice(0, 16)
}
