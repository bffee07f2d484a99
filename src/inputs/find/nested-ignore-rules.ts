import { basename, dirname } from 'node:path'
import { enterFolder, type FolderRules, type IgnoreRules, isIgnored } from './ignore-rules.ts'

/**
 * The ignore rules of a searched folder and those below it. Paths are absolute and without symbolic links.
 */
export interface IgnoreRulesBelow {
  /**
   * Returns the rules for the entries of a folder.
   * @param hasEntry whether the folder has an entry with this name
   * @throws UsageError that names a file that cannot be used
   */
  readRules(folder: string, hasEntry: (name: string) => boolean): Promise<FolderRules>
  /** Whether a path, or a folder that contains it, is ignored. @throws UsageError for the same reason */
  isIgnored(file: string, isFolder: boolean): Promise<boolean>
}

interface KnownFolder {
  readonly rules: FolderRules
  readonly isIgnored: boolean
}

/**
 * Reads the rules above `root`, and returns those below it on demand.
 * @throws UsageError that names a file above `root` that cannot be used
 */
export async function createIgnoreRulesBelow(root: string, rules: IgnoreRules): Promise<IgnoreRulesBelow> {
  const rulesAbove = await rules.readRulesAbove(root)
  const folders = new Map<string, Promise<KnownFolder>>()
  const findFolder = (folder: string, has: (name: string) => boolean): Promise<KnownFolder> => {
    const pending = folders.get(folder) ?? readFolder(folder, has)
    folders.set(folder, pending)
    return pending
  }
  const readFolder = async (folder: string, has: (name: string) => boolean): Promise<KnownFolder> => {
    if (folder === root || dirname(folder) === folder)
      return { rules: await rules.addFolderRules(folder, rulesAbove, has), isIgnored: false }
    // A link may lead to a folder that the search has not reached yet.
    const parent = await findFolder(dirname(folder), () => true)
    const name = basename(folder)
    return {
      rules: await rules.addFolderRules(folder, enterFolder(parent.rules, name), has),
      isIgnored: parent.isIgnored || isIgnored(parent.rules, name, true),
    }
  }
  return {
    readRules: async (folder, has) => (await findFolder(folder, has)).rules,
    async isIgnored(file, isFolder) {
      if (file === root) return false
      const parent = await findFolder(dirname(file), () => true)
      return parent.isIgnored || isIgnored(parent.rules, basename(file), isFolder)
    },
  }
}
