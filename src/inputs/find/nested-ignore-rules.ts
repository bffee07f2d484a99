import { basename, dirname } from 'node:path'
import { enterFolder, type FolderRules, type IgnoreRules, isIgnored } from './ignore-rules.ts'

/** The rules of the folders below one that is searched. Paths are absolute and without symbolic links. */
export interface IgnoreRulesBelow {
  /**
   * The rules for the entries of a folder.
   * @param hasEntry whether the folder has an entry of this name
   * @throws UsageError that names a file which cannot be used
   */
  readRules(folder: string, hasEntry: (name: string) => boolean): Promise<FolderRules>
  /** Whether something is ignored, by itself or with a folder that it lies in. @throws UsageError likewise */
  isIgnored(file: string, isFolder: boolean): Promise<boolean>
}

interface KnownFolder {
  readonly rules: FolderRules
  readonly isIgnored: boolean
}

/** @throws UsageError that names a file above `root` which cannot be used */
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
    // A link may lead to where the walk has not been yet.
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
