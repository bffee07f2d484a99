import type { BigIntStats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { printable } from '../../core/text/escape-control.ts'
import { truncate } from '../../core/text/truncate.ts'
import { RunError } from '../../errors.ts'
import { isLink, refuseLinks, unusable } from '../fs/check-links.ts'
import { cannotRead } from '../fs/disk-error.ts'
import { readWhole } from '../fs/output-files.ts'
import type { Fate, Holder } from './lock-owner.ts'

/** A lock that is there. The folder may come from anywhere, and so may the lock. */
export interface FoundLock {
  /** Tells this lock from every other one, also from one that takes its place. */
  readonly identity: string
  /** Undefined where the lock cannot be read: it is damaged, or not a lock of claude-batch. */
  readonly holder: Holder | undefined
  /** Why it can be no lock: it is a link, a pipe, a folder. */
  readonly problem?: RunError
}

/**
 * Looks at a lock, and never behind a link.
 * @returns undefined where there is none
 * @throws RunError `io` where its folder is a link, or where no file can be opened, which says nothing about this one
 */
export async function findLock(lock: string): Promise<FoundLock | undefined> {
  refuseLinks(dirname(dirname(lock)), dirname(lock))
  const stats = await lstat(lock, { bigint: true }).catch(() => undefined)
  if (stats === undefined) return undefined
  if (!stats.isFile()) {
    const problem = unusable(lock, stats.isSymbolicLink() ? isLink : 'it is not a regular file')
    return { identity: identityOf(stats), holder: undefined, problem }
  }
  const holder = stats.size <= largestLock ? await holderIn(lock) : undefined
  return { identity: holder?.nonce ?? identityOf(stats), holder }
}

/** Bytes. A lock has a few hundred. */
const largestLock = 16_384

/** `process 123 on host, since 2026-11-22T10:00:00.000Z` */
export function describeHolder({ pid, host, since }: Holder): string {
  return `process ${pid} on ${printable(host)}, since ${printable(since)}`
}

/** What happens to a lock: whether it may be taken depends on it. */
export type LockFate = Fate | 'unreadable'

/** Tells a file from every other one that has its name, without opening it; undefined where nothing has. */
export async function identityAt(file: string): Promise<string | undefined> {
  const stats = await lstat(file, { bigint: true }).catch(() => undefined)
  return stats && identityOf(stats)
}

function identityOf({ dev, ino, mtimeNs, size }: BigIntStats): string {
  return [dev, ino, mtimeNs, size].join('-')
}

async function holderIn(lock: string): Promise<Holder | undefined> {
  try {
    const content = await readWhole(dirname(dirname(lock)), lock)
    return checked(JSON.parse(content?.toString('utf8') ?? ''))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EMFILE' || code === 'ENFILE' || error instanceof RunError)
      throw cannotRead(lock, error as NodeJS.ErrnoException)
    return undefined
  }
}

/** Longer than any name of a machine. */
const longestText = 300
const longestNonce = 64

function checked(value: unknown): Holder | undefined {
  const { pid, nonce, ...fields } = (value ?? {}) as Record<string, unknown>
  if (!Number.isSafeInteger(pid) || Number(pid) <= 0) return undefined
  if (typeof nonce !== 'string' || nonce === '' || nonce.length > longestNonce) return undefined
  const text = (name: Exclude<keyof Holder, 'pid' | 'nonce'>) => {
    const field = fields[name]
    return typeof field === 'string' ? truncate(field, longestText) : ''
  }
  return {
    pid: Number(pid),
    nonce,
    host: text('host'),
    machine: text('machine'),
    boot: text('boot'),
    namespace: text('namespace'),
    began: text('began'),
    since: text('since'),
    command: text('command'),
    version: text('version'),
  }
}
