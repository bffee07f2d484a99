import { basename } from 'node:path'
import type { InputProblem } from '../../../core/document/document.ts'

/** Maximum bytes of a placeholder: the limit of Git LFS, and far above the others. */
const maxPlaceholderBytes = 1024

/**
 * Returns the problem of a file that is only the placeholder of a document: a pointer of Git LFS or git-annex, under
 * any name, or the lock file that Office creates next to an open document. A lock file is skipped in a folder.
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
export function findPlaceholderProblem(path: string, bytes: Buffer): InputProblem | undefined {
  if (bytes.length > maxPlaceholderBytes) return undefined
  const text = bytes.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  if (/^version https:\/\/(?:git-lfs|hawser)\.github\.com\/spec\/v\d(?:\r?\n(?:ext-|oid |$)|$)/.test(text))
    return {
      action: 'fail',
      type: 'lfs_pointer',
      message: 'this is a Git LFS pointer, not the file; run: git lfs pull',
    }
  if (/^(?:(?:\.\.\/)*\.git)?\/annex\/objects\/\S+\s*$/.test(text))
    return {
      action: 'fail',
      type: 'annex_pointer',
      message: 'this is a git-annex pointer, not the file; run: git annex get',
    }
  if (basename(path).startsWith('~$') && !text.startsWith('PK'))
    return { action: 'skip', type: 'lock_file', message: 'a lock file of Office, not a document' }
  return undefined
}
