import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { isInside } from '../../core/document/document-path.ts'
import { describeFsError } from '../describe-fs-error.ts'

/** The target of a symbolic link. */
export interface LinkTarget {
  /** Absolute path, without symbolic links. */
  readonly real: string
  readonly isFolder: boolean
}

/**
 * Returns the target of a link, or why the link is not followed: it is broken, it leads to something other
 * than a file or folder, or it leads out of `root`.
 * @param root a folder's path without links
 */
export async function resolveLinkInside(link: string, root: string): Promise<LinkTarget | InputProblem> {
  try {
    const target = await stat(link)
    if (!target.isFile() && !target.isDirectory())
      return { action: 'skip', type: 'not_a_file', message: 'not a regular file' }
    const real = await realpath(link)
    return isInside(real, root) ? { real, isFolder: target.isDirectory() } : leadsOutProblem
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const isBroken = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
    return {
      action: 'skip',
      type: 'link',
      message: isBroken ? 'the link leads nowhere' : describeFsError(error as Error),
    }
  }
}

const leadsOutProblem: InputProblem = {
  action: 'skip',
  type: 'link',
  message: 'the link leads out of the folder; name what it leads to',
}

/**
 * Whether a link leads back to a folder that contains it.
 * @param folder the folder that was reached through the link
 * @param realPaths paths without links by the paths as found: for this folder and those above, up to `root`
 */
export function isLinkLoop(folder: string, root: string, realPaths: ReadonlyMap<string, string>): boolean {
  for (let above = folder; above !== root && dirname(above) !== above; ) {
    above = dirname(above)
    if (realPaths.get(above) === realPaths.get(folder)) return true
  }
  return false
}
