import { lstat, stat } from 'node:fs/promises'
import { UsageError } from '../../../errors.ts'
import { describeFsError } from '../../describe-fs-error.ts'
import { readSmallFile } from '../../read-small-file.ts'
import { type IgnorePattern, parseIgnoreFile } from './ignore-patterns.ts'

/**
 * Returns the patterns in an ignore file; none if it does not exist.
 * @param kind `gitignore`: a `.gitignore` in the tree, which git does not read through a symbolic link;
 *   `own`: a `.claude-batchignore`; `configured`: a file that git's configuration names, where `/dev/null`
 *   means none
 * @returns `link` for a `.gitignore` that is a symbolic link
 * @throws UsageError that names a file that cannot be used: the files that it might ignore are then unknown
 */
export async function readIgnoreFile(
  file: string,
  kind: 'gitignore' | 'own' | 'configured',
): Promise<readonly IgnorePattern[] | 'link'> {
  try {
    const stats = await (kind === 'gitignore' ? lstat : stat)(file)
    if (stats.isSymbolicLink()) return 'link'
    if (stats.isDirectory() || (kind === 'configured' && !stats.isFile())) return []
    return parseIgnoreFile(await readSmallFile(file))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new UsageError(`cannot use ${file}: ${describeFsError(error as Error)}; fix it, or add --no-ignore`)
  }
}
