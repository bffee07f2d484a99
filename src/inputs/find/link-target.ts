import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { isInside } from '../../core/document/document-path.ts'
import { describeFsError } from '../describe-fs-error.ts'

/** What a symbolic link leads to. */
export interface LinkTarget {
  /** Absolute path, without symbolic links. */
  readonly real: string
  readonly isFolder: boolean
}

/**
 * Where a link leads, or why it is not followed: it may lead to nothing, to no file, or out of the folder.
 * @param root the path without links of the folder that it has to stay in
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
 * Whether a folder is one of those that it lies in, reached again by a link.
 * @param realPaths paths without links, by paths as they were found: of this folder and those above, up to `root`
 */
export function isLinkLoop(folder: string, root: string, realPaths: ReadonlyMap<string, string>): boolean {
  for (let above = folder; above !== root && dirname(above) !== above; ) {
    above = dirname(above)
    if (realPaths.get(above) === realPaths.get(folder)) return true
  }
  return false
}
