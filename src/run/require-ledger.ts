import { resolve } from 'node:path'
import { ExitError } from '../errors.ts'
import { hasLedger } from '../storage/output-folder.ts'

/**
 * Checks that an output folder has a ledger.
 * @param dir as the user typed it
 * @param command for the advice: `report`
 * @throws ExitError `noInput`, `ioError`
 */
export function requireLedger(dir: string, cwd: string, command: string): void {
  if (hasLedger(resolve(cwd, dir))) return
  throw new ExitError(
    'noInput',
    `there is no ledger in ${dir}: no run has written there; name the output folder: claude-batch ${command} <dir>`,
  )
}
