import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { computeCwdFromOut } from '../core/document/document-path.ts'
import { stateFolder } from '../core/document/output-path.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'
import { quoteShellWord } from '../core/text/quote-shell-word.ts'
import { ExitError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { readLedger } from '../storage/ledger/read-ledger.ts'
import { describeLockOwner, findLock } from '../storage/lock/find-lock.ts'
import { determineLockStatus, lockFileName } from '../storage/lock/lock-folder.ts'
import { createLockOwner } from '../storage/lock/lock-owner.ts'
import { hasLedger, ledgerPath } from '../storage/output-folder.ts'
import { listStoredBatches } from '../storage/stored-batches.ts'
import { type Check, failedCheck, passed, warned } from './check-result.ts'

/**
 * Checks an output folder: whether it can be written, its lock, its ledger and the batches that wait in it.
 * Only reads.
 * @param out absolute
 * @param name the folder as the user named it
 */
export async function checkOutput(out: string, name: string, runtime: Runtime): Promise<Check[]> {
  const folder = await findExistingFolder(out)
  if (!(await stat(folder)).isDirectory())
    return [failedCheck('output', 'usage', `${folder} is a file`, 'name a folder with --out')]
  if (!(await isWritable(folder)))
    return [
      failedCheck(
        'output',
        'ioError',
        `${folder} is not writable`,
        'change its permissions, or name another folder with --out',
      ),
    ]
  try {
    return [...(await checkState(out, name, runtime)), await checkDisk(folder)]
  } catch (error) {
    if (!(error instanceof ExitError)) throw error
    return [failedCheck('output', error.exit, error.message)]
  }
}

async function checkState(out: string, name: string, runtime: Runtime): Promise<Check[]> {
  if (!hasLedger(out)) return [passed('output', `${name} is new; the first run creates it`)]
  const checks = await checkLock(out, name, runtime)
  const cwdFromOut = computeCwdFromOut(out, runtime.cwd)
  const { summaries, failures, damaged } = await readLedger(ledgerPath(out), cwdFromOut)
  const counts = `${name} has ${pluralize(summaries.size, 'summary', 'summaries')} and ${pluralize(failures.size, 'error record')}`
  checks.push(
    damaged.count === 0
      ? passed('output', counts)
      : warned(
          'output',
          `${counts}; ${pluralize(damaged.count, 'line')} of its ledger ${damaged.count === 1 ? 'is' : 'are'} damaged`,
          'the next run summarizes their documents again if it finds no summary',
        ),
  )
  const batches = await listStoredBatches({ out, cwdFromOut })
  if (batches.length > 0)
    checks.push(
      warned(
        'output',
        `${pluralize(batches.length, 'batch', 'batches')} not collected yet`,
        `claude-batch batches collect ${quoteShellWord(name)}`,
      ),
    )
  return checks
}

async function checkLock(out: string, name: string, runtime: Runtime): Promise<Check[]> {
  const found = await findLock(join(out, stateFolder, lockFileName))
  if (found === undefined) return []
  const { pid, isRunning, clock } = runtime
  const self = await createLockOwner(pid, new Date(clock.wallTime()).toISOString(), 'doctor', {
    command: 'doctor',
    version: '',
  })
  const status = await determineLockStatus(found, { self, isRunning })
  // The next run takes over the lock of a process that is gone.
  if (status === 'dead') return []
  const owner = found.owner === undefined ? 'a file that cannot be read' : describeLockOwner(found.owner)
  const advice =
    status === 'alive'
      ? 'wait until that run ends, or use --lock-timeout'
      : `claude-batch unlock ${quoteShellWord(name)}`
  return [warned('output', `${name} is locked by ${owner}`, advice)]
}

async function checkDisk(folder: string): Promise<Check> {
  const { bavail, bsize } = await statfs(folder)
  const megabytes = Math.floor((bavail * bsize) / 1e6)
  const found = `${formatInteger(megabytes)} MB free`
  return megabytes < minFreeMegabytes
    ? warned('disk', found, `free some space: 10,000 summaries need some ${minFreeMegabytes} MB`)
    : passed('disk', found)
}

/** A summary with its ledger entry has a few kilobytes. */
const minFreeMegabytes = 100

/** Returns the folder itself, or the nearest one above it that exists. */
async function findExistingFolder(folder: string): Promise<string> {
  const exists = await access(folder).then(
    () => true,
    () => false,
  )
  return exists || dirname(folder) === folder ? folder : findExistingFolder(dirname(folder))
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
}
