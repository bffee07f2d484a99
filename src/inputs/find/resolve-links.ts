import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { isWithin } from '../../core/document/document-path.ts'
import { reasonOf } from './reason.ts'

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
export async function targetInside(link: string, root: string): Promise<LinkTarget | InputProblem> {
  try {
    const target = await stat(link)
    if (!target.isFile() && !target.isDirectory())
      return { as: 'skip', type: 'not_a_file', message: 'not a regular file' }
    const real = await realpath(link)
    return isWithin(real, root) ? { real, isFolder: target.isDirectory() } : leadsOut
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const nowhere = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
    return {
      as: 'skip',
      type: 'link',
      message: nowhere ? 'the link leads nowhere' : reasonOf(error as Error),
    }
  }
}

const leadsOut: InputProblem = {
  as: 'skip',
  type: 'link',
  message: 'the link leads out of the folder; name what it leads to',
}

/**
 * Whether a folder is one of those that it lies in, reached again by a link.
 * @param real paths without links, by paths as they were found: of this folder and those above, up to `root`
 */
export function isLoop(folder: string, root: string, real: ReadonlyMap<string, string>): boolean {
  for (let above = folder; above !== root && dirname(above) !== above; ) {
    above = dirname(above)
    if (real.get(above) === real.get(folder)) return true
  }
  return false
}
