import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { toUtf8 } from '../../core/text/to-utf8.ts'
import { UsageError } from '../../errors.ts'
import { describeFsError } from '../describe-fs-error.ts'
import { unquoteGitPath } from './git/unquote-git-path.ts'

/**
 * Returns the paths in a `--files-from` list; `-` is stdin. The list has one path per line; CRLF, blank lines,
 * a byte-order mark and UTF-16 are accepted, and names that git quoted are unquoted. With `isNulSeparated`, the paths
 * are exactly the bytes between NULs, as `find -print0` writes them.
 * @throws UsageError if the list cannot be read or has the other separator
 */
export async function readFilesFrom(
  file: string,
  isNulSeparated: boolean,
  cwd: string,
  stdin: Readable,
): Promise<string[]> {
  const bytes =
    file === '-'
      ? await buffer(stdin)
      : await readFile(resolve(cwd, file)).catch((error) => {
          throw new UsageError(`--files-from ${file}: ${describeFsError(error)}`)
        })
  const text = toUtf8(bytes).toString('utf8')
  if (!isNulSeparated && text.includes('\0'))
    throw new UsageError(`--files-from ${file}: the paths end with NUL; add -0`)
  if (isNulSeparated && !text.includes('\0') && text.includes('\n')) {
    throw new UsageError(`--files-from ${file}: the list has no NUL; remove -0 to read one path per line`)
  }
  if (isNulSeparated) return text.split('\0').filter((path) => path !== '')
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  return lines.filter((path) => path.trim() !== '').map((line) => unquoteGitPath(line, cwd))
}
