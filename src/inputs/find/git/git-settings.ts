import { realpath } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { toSlashes } from '../../../core/document/document-path.ts'
import { findHomeFolder } from '../../../core/document/home-folder.ts'
import { describeFsError } from '../../describe-fs-error.ts'
import { readSmallFile } from '../../read-small-file.ts'
import { type GitConfigEntry, parseBoolean, parseGitConfig } from './git-config.ts'
import type { Repository } from './repository.ts'
import { wildmatch } from './wildmatch.ts'

/** Git's settings for ignoring files in one repository. */
export interface IgnoreSettings {
  /** `core.ignoreCase`. */
  readonly ignoreCase: boolean
  /** Absolute path of `core.excludesFile` or of git's default for it; undefined without either. */
  readonly excludesFile: string | undefined
}

export interface GitSettingsOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Called with one line for each configuration file that cannot be used. */
  readonly onWarning: (text: string) => void
}

/**
 * Reads git's configuration without running git: that of the system, the user, the repository and the working
 * tree, with `include.path` and `includeIf.gitdir`. A file that cannot be used is reported and left out.
 * Other conditions of `includeIf`, and settings in environment variables, are not evaluated.
 * @returns a function that reads the settings of one repository; each file is read once
 */
export function createGitSettingsReader(
  options: GitSettingsOptions,
): (repository: Repository) => Promise<IgnoreSettings> {
  const { home, configFolder } = findUserFolders(options)
  const entriesByFile = new Map<string, Promise<readonly GitConfigEntry[]>>()
  const findEntries = (file: string) => {
    const entries = entriesByFile.get(file) ?? readEntries(file, options.onWarning)
    entriesByFile.set(file, entries)
    return entries
  }

  return async (repository) => {
    const { root, gitDir, commonDir } = repository
    const gitDirs = [gitDir, await realpath(gitDir).catch(() => gitDir)]
    const found = new Map<string, GitConfigEntry & { readonly own: boolean }>()
    /**
     * @param isRepositoryFile whether the repository names the file, which may have come with the documents
     */
    const readFileAndIncludes = async (file: string, isRepositoryFile: boolean, depth = 0): Promise<void> => {
      for (const entry of await findEntries(file)) {
        const { section, subsection, key, value } = entry
        if (subsection === undefined) found.set(`${section}.${key}`, { ...entry, own: isRepositoryFile })
        const isIncluded =
          subsection === undefined
            ? section === 'include'
            : section === 'includeif' && isGitDirMatched(subsection, file, gitDirs, home)
        // Git has the same limit on nested includes.
        if (!isIncluded || key !== 'path' || !value || depth === 10) continue
        if (!isRepositoryFile || !isOnAnotherMachine(value))
          await readFileAndIncludes(
            resolve(dirname(file), expandHome(value, home)),
            isRepositoryFile,
            depth + 1,
          )
      }
    }
    for (const file of listSystemAndUserFiles(options)) await readFileAndIncludes(file, false)
    await readFileAndIncludes(join(commonDir, 'config'), true)
    const perWorktree = found.get('extensions.worktreeconfig')
    if (perWorktree !== undefined && parseBoolean(perWorktree))
      await readFileAndIncludes(join(gitDir, 'config.worktree'), true)

    const [ignoreCase, excludes] = [found.get('core.ignorecase'), found.get('core.excludesfile')]
    return {
      ignoreCase: ignoreCase !== undefined && parseBoolean(ignoreCase) === true,
      excludesFile:
        excludes?.value === undefined
          ? configFolder && join(configFolder, 'git/ignore')
          : excludes.value === '' || (excludes.own && isOnAnotherMachine(excludes.value))
            ? undefined
            : resolve(root, expandHome(excludes.value, home)),
    }
  }
}

/** Returns the user's home folder and configuration folder; undefined if the environment has none. */
function findUserFolders({ env }: GitSettingsOptions): {
  home: string | undefined
  configFolder: string | undefined
} {
  const home = findHomeFolder(env)
  return { home, configFolder: env['XDG_CONFIG_HOME'] || (home && join(home, '.config')) }
}

/** Returns the configuration files of the system and the user, the lowest precedence first. */
function listSystemAndUserFiles(options: GitSettingsOptions): string[] {
  const { home, configFolder } = findUserFolders(options)
  const { GIT_CONFIG_NOSYSTEM: noSystem = 'false', GIT_CONFIG_SYSTEM, GIT_CONFIG_GLOBAL } = options.env
  // On Windows the file is in git's installation folder, which only git knows.
  const system = GIT_CONFIG_SYSTEM ?? (sep === '/' ? '/etc/gitconfig' : '')
  const files = [
    parseBoolean({ value: noSystem }) ? '' : system,
    ...(GIT_CONFIG_GLOBAL === undefined
      ? [configFolder && join(configFolder, 'git/config'), home && join(home, '.gitconfig')]
      : [GIT_CONFIG_GLOBAL]),
  ]
  return files
    .filter((file) => file !== undefined && file !== '')
    .map((file) => resolve(options.cwd, file ?? ''))
}

async function readEntries(
  file: string,
  onWarning: GitSettingsOptions['onWarning'],
): Promise<readonly GitConfigEntry[]> {
  try {
    return parseGitConfig((await readSmallFile(file)).toString('utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      onWarning(`the git configuration ${file} is not used: ${describeFsError(error as Error)}`)
    return []
  }
}

/** Whether a path is on another machine. On Windows, opening such a path logs in to that machine. */
function isOnAnotherMachine(path: string): boolean {
  return /^[/\\]{2}/.test(path)
}

function expandHome(path: string, home: string | undefined): string {
  return home === undefined ? path : path.replace(/^~(?=\/|$)/, () => home)
}

/**
 * Whether the condition of an `includeIf` matches a repository.
 * @param file the file that has the condition
 */
function isGitDirMatched(
  condition: string,
  file: string,
  gitDirs: readonly string[],
  home: string | undefined,
): boolean {
  const [, kind, writtenPattern] = /^(gitdir(?:\/i)?):(.+)$/s.exec(condition) ?? []
  if (kind === undefined || writtenPattern === undefined) return false
  const pattern = toSlashes(expandHome(writtenPattern, home).replace(/^\.(?=\/)/, () => dirname(file)))
  const anywhere = pattern.startsWith('/') ? pattern : `**/${pattern}`
  const whole = anywhere.replace(/\/$/, '/**')
  const options = { pathname: true, ignoreCase: kind === 'gitdir/i' }
  return gitDirs.some((gitDir) => wildmatch(whole, toSlashes(gitDir), options))
}
