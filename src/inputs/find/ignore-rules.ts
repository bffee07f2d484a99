import { platform } from 'node:os'
import { basename, join, relative, sep } from 'node:path'
import { isInside } from '../../core/document/document-path.ts'
import { createGitSettingsReader, type GitSettingsOptions } from './git/git-settings.ts'
import { readIgnoreFile } from './git/ignore-file.ts'
import { type IgnoreCandidate, type IgnorePattern, matchesIgnorePattern } from './git/ignore-patterns.ts'
import { findRepository, type Repository, readRepository } from './git/repository.ts'

/** The ignore rules for the entries of one folder. */
export interface FolderRules {
  /** `.claude-batchignore` files, the nearest first; they override all rules of git. */
  readonly own: readonly AppliedFile[]
  /** `.gitignore` files, the nearest first, then the repository's and the user's own files. */
  readonly git: readonly AppliedFile[]
  /** Whether patterns ignore case: git's `core.ignoreCase`. */
  readonly ignoreCase: boolean
}

/** An ignore file as it applies to one folder. */
interface AppliedFile {
  readonly patterns: readonly IgnorePattern[]
  /**
   * Path of this folder relative to the folder of the ignore file: empty or with a trailing slash, one
   * character per byte.
   */
  readonly prefix: string
}

/** Reads ignore files and applies them as git does. */
export interface IgnoreRules {
  /**
   * Returns the rules that the files above a searched folder set for its entries. Patterns that ignore the
   * folder itself are left out, because the user named it.
   * @throws UsageError that names a file that cannot be used: the files that it might ignore are then unknown
   */
  readRulesAbove(root: string): Promise<FolderRules>
  /**
   * Adds the rules of the ignore files in a folder.
   * @param inherited the rules from the folders above
   * @param hasEntry whether the folder may have an entry with this name
   * @throws UsageError for the same reason
   */
  addFolderRules(
    folder: string,
    inherited: FolderRules,
    hasEntry: (name: string) => boolean,
  ): Promise<FolderRules>
}

const noRules: FolderRules = { own: [], git: [], ignoreCase: false }

/** See {@link IgnoreRules}. */
export function createIgnoreRules(options: GitSettingsOptions): IgnoreRules {
  const readSettings = createGitSettingsReader(options)

  const readAppliedFile = async (
    file: string,
    kind: Parameters<typeof readIgnoreFile>[1],
  ): Promise<AppliedFile[]> => {
    const patterns = await readIgnoreFile(file, kind)
    if (patterns !== 'link') return patterns.length === 0 ? [] : [{ patterns, prefix: '' }]
    options.onWarning(`${file} is a symbolic link, which git does not follow, so its rules do not apply`)
    return []
  }
  /** Returns the rules for a whole repository. As in git, they replace those of a repository around it. */
  const readRepositoryRules = async (
    repository: Repository,
  ): Promise<Pick<FolderRules, 'git' | 'ignoreCase'>> => {
    const { ignoreCase, excludesFile } = await readSettings(repository)
    const exclude = await readAppliedFile(join(repository.commonDir, 'info/exclude'), 'configured')
    const users = excludesFile === undefined ? [] : await readAppliedFile(excludesFile, 'configured')
    return { ignoreCase, git: [...exclude, ...users] }
  }

  const addFolderRules: IgnoreRules['addFolderRules'] = async (folder, inherited, has) => {
    const repository = has('.git') ? await readRepository(folder) : undefined
    const outerRules =
      repository === undefined ? inherited : { ...inherited, ...(await readRepositoryRules(repository)) }
    const git = has('.gitignore') ? await readAppliedFile(join(folder, '.gitignore'), 'gitignore') : []
    const own = has('.claude-batchignore')
      ? await readAppliedFile(join(folder, '.claude-batchignore'), 'own')
      : []
    return { ...outerRules, git: [...git, ...outerRules.git], own: [...own, ...outerRules.own] }
  }

  return {
    addFolderRules,
    async readRulesAbove(root) {
      const repository = await findRepository(root)
      // `.claude-batchignore` applies from the working directory down, even if a repository begins below it.
      const topFolders = [repository?.root, isInside(root, options.cwd) ? options.cwd : undefined]
      const [top = root] = topFolders
        .filter((folder) => folder !== undefined)
        .sort((a, b) => a.length - b.length)
      let rules = noRules
      const names = relative(top, root).split(sep)
      for (let n = 0, folder = top; folder !== root; n++) {
        rules = await addFolderRules(folder, rules, () => true)
        folder = join(folder, names[n] ?? '')
        rules = enterFolder(rules, basename(folder))
      }
      return withoutPatternsForRoot(rules)
    },
  }
}

/** Returns the rules of a folder as they apply to one of its subfolders. */
export function enterFolder(rules: FolderRules, name: string): FolderRules {
  const extendPrefix = (file: AppliedFile) => ({ ...file, prefix: `${file.prefix}${toByteString(name)}/` })
  return { ...rules, own: rules.own.map(extendPrefix), git: rules.git.map(extendPrefix) }
}

/** Whether the rules of a folder ignore the entry with this name. */
export function isIgnored({ own, git, ignoreCase }: FolderRules, name: string, isFolder: boolean): boolean {
  const bytes = toByteString(name)
  for (const files of [own, git]) {
    for (const { patterns, prefix } of files) {
      const pattern = findLastMatch(patterns, { path: prefix + bytes, name: bytes, isFolder }, ignoreCase)
      if (pattern !== undefined) return !pattern.negated
    }
  }
  return false
}

function findLastMatch(
  patterns: readonly IgnorePattern[],
  candidate: IgnoreCandidate,
  ignoreCase: boolean,
): IgnorePattern | undefined {
  return patterns.findLast((pattern) => matchesIgnorePattern(pattern, candidate, ignoreCase))
}

/** Returns the rules without the patterns that ignore the folder itself or one above it. */
function withoutPatternsForRoot(rules: FolderRules): FolderRules {
  const depth = Math.max(0, ...[...rules.own, ...rules.git].map(({ prefix }) => prefix.split('/').length - 1))
  const dropped = new Set<IgnorePattern>()
  const withoutDropped = (file: AppliedFile) => ({
    ...file,
    patterns: file.patterns.filter((pattern) => !dropped.has(pattern)),
  })
  for (let above = depth - 1; above >= 0; above--) {
    for (let found: IgnorePattern | undefined; ; ) {
      found = undefined
      for (const { patterns, prefix } of [...rules.own, ...rules.git].map(withoutDropped)) {
        const path = prefix
          .split('/')
          .slice(0, -1 - above)
          .join('/')
        if (path === '') continue
        const candidate = { path, name: basename(path), isFolder: true }
        found = findLastMatch(patterns, candidate, rules.ignoreCase)
        if (found !== undefined) break
      }
      if (found === undefined || found.negated) break
      dropped.add(found)
    }
  }
  return dropped.size === 0
    ? rules
    : { ...rules, own: rules.own.map(withoutDropped), git: rules.git.map(withoutDropped) }
}

/** Returns a name as git compares it: one character per byte, and on macOS with composed accents. */
function toByteString(name: string): string {
  if (!/[^\0-\x7f]/.test(name)) return name
  return Buffer.from(isMacOS ? name.normalize('NFC') : name).toString('latin1')
}

/** Programs on macOS write the accents of a name decomposed, while people type `.gitignore` composed. */
const isMacOS = platform() === 'darwin'
