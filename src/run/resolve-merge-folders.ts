import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CommandLineError } from '../errors.ts'
import { toReadError } from '../storage/fs/disk-error.ts'
import { hasStateFolder } from '../storage/output-folder.ts'
import { requireLedger } from './require-ledger.ts'

/** An output folder that the user named. */
export interface NamedFolder {
  /** As the user typed it. */
  readonly name: string
  /** Absolute. */
  readonly out: string
}

export interface MergeFolders {
  readonly target: NamedFolder
  /** The folders to merge into the target, without the target itself, each once. */
  readonly sources: readonly NamedFolder[]
}

/**
 * Returns the folders of a merge.
 * @throws CommandLineError without a target; ExitError `noInput` for a folder in which no run has begun; `ioError`
 */
export async function resolveMergeFolders(
  names: readonly string[],
  targetName: string | undefined,
  cwd: string,
): Promise<MergeFolders> {
  if (targetName === undefined || targetName === '-')
    throw new CommandLineError('merge needs a folder to merge into: -o DIR')
  // A run that is killed early leaves a folder without a ledger. It is incomplete, and the others can be merged.
  for (const name of names) if (!hasStateFolder(resolve(cwd, name))) requireLedger(name, cwd, 'merge')
  const target = { name: targetName, out: resolve(cwd, targetName) }
  const seen = new Set([await realpath(target.out).catch(() => target.out)])
  const sources: NamedFolder[] = []
  for (const name of names) {
    const out = resolve(cwd, name)
    const real = await realpath(out).catch((error: NodeJS.ErrnoException) => {
      throw toReadError(out, error)
    })
    if (!seen.has(real)) sources.push({ name, out })
    seen.add(real)
  }
  return { target, sources }
}
