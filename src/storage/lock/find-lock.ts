import type { BigIntStats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { truncate } from '../../core/text/truncate.ts'
import { ExitError } from '../../errors.ts'
import { toReadError } from '../fs/disk-error.ts'
import { readWholeFile } from '../fs/no-follow-fs.ts'
import { rejectSymlinks, symlinkReason, unusablePathError } from '../fs/symlinks.ts'
import type { LockOwner, OwnerStatus } from './lock-owner.ts'

/** An existing lock. It is untrusted, like everything in an output folder. */
export interface FoundLock {
  /** Identifies this lock; a lock that replaces it has another identity. */
  readonly identity: string
  /** Undefined if the lock file is damaged, or was not written by claude-batch. */
  readonly owner: LockOwner | undefined
  /** The error if the path is a link, a pipe or a folder, which cannot be a lock. */
  readonly problem?: ExitError
}

/**
 * Reads a lock; does not follow a symbolic link.
 * @returns undefined if there is no lock
 * @throws ExitError `ioError` if its folder is a link, or if the process has too many open files to read the
 *   lock
 */
export async function findLock(lock: string): Promise<FoundLock | undefined> {
  rejectSymlinks(dirname(dirname(lock)), dirname(lock))
  const stats = await lstat(lock, { bigint: true }).catch(() => undefined)
  if (stats === undefined) return undefined
  if (!stats.isFile()) {
    const problem = unusablePathError(
      lock,
      stats.isSymbolicLink() ? symlinkReason : 'it is not a regular file',
    )
    return { identity: toFileIdentity(stats), owner: undefined, problem }
  }
  const owner = stats.size <= maxLockBytes ? await readLockOwner(lock) : undefined
  return { identity: owner?.nonce ?? toFileIdentity(stats), owner }
}

/** Bytes. A lock file has a few hundred. */
const maxLockBytes = 16_384

/** `process 123 on host, since 2026-11-22T10:00:00.000Z` */
export function describeLockOwner({ pid, host, since }: LockOwner): string {
  return `process ${pid} on ${escapeControlChars(host)}, since ${escapeControlChars(since)}`
}

/** The state of a lock, which decides whether it may be taken over. */
export type LockStatus = OwnerStatus | 'unreadable'

/**
 * Returns what identifies a file among all files of its name, without opening it; undefined if there is no
 * file.
 */
export async function readFileIdentity(file: string): Promise<string | undefined> {
  const stats = await lstat(file, { bigint: true }).catch(() => undefined)
  return stats && toFileIdentity(stats)
}

function toFileIdentity({ dev, ino, mtimeNs, size }: BigIntStats): string {
  return [dev, ino, mtimeNs, size].join('-')
}

async function readLockOwner(lock: string): Promise<LockOwner | undefined> {
  try {
    const content = await readWholeFile(dirname(dirname(lock)), lock)
    return parseLockOwner(JSON.parse(content?.toString('utf8') ?? ''))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE' || error instanceof ExitError)
      throw toReadError(lock, error as NodeJS.ErrnoException)
    return undefined
  }
}

/** Longer than any host name. */
const maxFieldChars = 300
const maxNonceChars = 64

function parseLockOwner(value: unknown): LockOwner | undefined {
  const { pid, nonce, ...fields } = (value ?? {}) as Record<string, unknown>
  if (!Number.isSafeInteger(pid) || Number(pid) <= 0) return undefined
  if (typeof nonce !== 'string' || nonce === '' || nonce.length > maxNonceChars) return undefined
  const readField = (name: Exclude<keyof LockOwner, 'pid' | 'nonce'>) => {
    const field = fields[name]
    return typeof field === 'string' ? truncate(field, maxFieldChars) : ''
  }
  return {
    pid: Number(pid),
    nonce,
    host: readField('host'),
    machine: readField('machine'),
    boot: readField('boot'),
    namespace: readField('namespace'),
    began: readField('began'),
    since: readField('since'),
    command: readField('command'),
    version: readField('version'),
  }
}
