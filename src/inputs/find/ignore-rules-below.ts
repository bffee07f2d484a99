import { basename, dirname } from 'node:path'
import { type FolderRules, type IgnoreRules, inFolder, isIgnored } from './ignore-rules.ts'

/** The rules of the folders below one that is searched. Paths are absolute and without symbolic links. */
export interface IgnoreRulesBelow {
  /**
   * The rules for the entries of a folder.
   * @param has whether the folder has an entry of this name
   * @throws UsageError that names a file which cannot be used
   */
  within(folder: string, has: (name: string) => boolean): Promise<FolderRules>
  /** Whether something is ignored, by itself or with a folder that it lies in. @throws UsageError likewise */
  ignores(file: string, isFolder: boolean): Promise<boolean>
}

interface Known {
  readonly rules: FolderRules
  readonly isIgnored: boolean
}

/** @throws UsageError that names a file above `root` which cannot be used */
export async function createIgnoreRulesBelow(root: string, rules: IgnoreRules): Promise<IgnoreRulesBelow> {
  const above = await rules.above(root)
  const known = new Map<string, Promise<Known>>()
  const knownOf = (folder: string, has: (name: string) => boolean): Promise<Known> => {
    const made = known.get(folder) ?? make(folder, has)
    known.set(folder, made)
    return made
  }
  const make = async (folder: string, has: (name: string) => boolean): Promise<Known> => {
    if (folder === root || dirname(folder) === folder)
      return { rules: await rules.within(folder, above, has), isIgnored: false }
    // A link may lead to where the walk has not been yet.
    const around = await knownOf(dirname(folder), () => true)
    const name = basename(folder)
    return {
      rules: await rules.within(folder, inFolder(around.rules, name), has),
      isIgnored: around.isIgnored || isIgnored(around.rules, name, true),
    }
  }
  return {
    within: async (folder, has) => (await knownOf(folder, has)).rules,
    async ignores(file, isFolder) {
      if (file === root) return false
      const around = await knownOf(dirname(file), () => true)
      return around.isIgnored || isIgnored(around.rules, basename(file), isFolder)
    },
  }
}
