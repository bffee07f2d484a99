import { hash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { cannotRead } from './disk-error.ts'

/** Who holds a lock: one process, told apart from all others there are or were. */
export interface Holder {
  readonly pid: number
  readonly host: string
  /** Ids of the machine, of its present boot and of the process's namespace; '' where the system has no such thing. */
  readonly machine: string
  readonly boot: string
  readonly namespace: string
  /** When the process began, in the system's own count: tells a process id that is used again from its first user. */
  readonly began: string
  /** ISO 8601, for people. */
  readonly since: string
  /** This lock's own. */
  readonly nonce: string
}

/** Ourselves. @throws RunError `io` where no file can be opened */
export async function holderFor(pid: number, since: string, nonce: string): Promise<Holder> {
  return {
    pid,
    host: hostname(),
    machine: digest(await text('/etc/machine-id')),
    boot: await text('/proc/sys/kernel/random/boot_id'),
    namespace: await readlink('/proc/self/ns/pid').catch(() => ''),
    began: await beganAt(pid),
    since,
    nonce,
  }
}

/**
 * What became of a holder, as far as one of another process can tell. `elsewhere`: on another machine, or in another
 * container, where nobody can look from here.
 * @throws RunError `io` where no file can be opened
 */
export async function fateOf(
  holder: Holder,
  self: Holder,
  isRunning: (pid: number) => boolean,
): Promise<'alive' | 'dead' | 'elsewhere'> {
  if (holder.host !== self.host) return 'elsewhere'
  if (holder.boot !== self.boot)
    return holder.machine !== '' && holder.machine === self.machine ? 'dead' : 'elsewhere'
  if (holder.namespace !== self.namespace) return 'elsewhere'
  if (!isRunning(holder.pid)) return 'dead'
  return (await beganAt(holder.pid)) === holder.began ? 'alive' : 'dead'
}

/** The 22nd field of Linux's `/proc/<pid>/stat`; '' elsewhere. The second field may itself hold blanks and brackets. */
async function beganAt(pid: number): Promise<string> {
  const stat = await text(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function text(file: string): Promise<string> {
  return readFile(file, 'utf8').then(
    (content) => content.trim(),
    (error: NodeJS.ErrnoException) => {
      // What is there and cannot be opened for now must not pass for what is not: a living holder would look dead.
      if (error.code === 'EMFILE' || error.code === 'ENFILE') throw cannotRead(file, error)
      return ''
    },
  )
}

/** The machine's id is not to be spread: see machine-id(5). */
function digest(id: string): string {
  return id === '' ? '' : hash('sha256', `claude-batch ${id}`).slice(0, 16)
}
