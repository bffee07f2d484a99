import { realpath } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { readSmallFile } from '../../read/small-file.ts'
import { reasonOf } from '../reason.ts'
import { booleanOf, type GitConfigEntry, parseGitConfig } from './git-config.ts'
import type { Repository } from './repository.ts'
import { wildmatch } from './wildmatch.ts'

/** What git's configuration says about ignoring files in one repository. */
export interface IgnoreSettings {
  /** `core.ignoreCase`. */
  readonly ignoreCase: boolean
  /** `core.excludesFile`, or git's default for it: an absolute path. Undefined where there is none. */
  readonly excludesFile: string | undefined
}

export interface SettingsReaderOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Called with one line for each configuration file that cannot be used. */
  readonly onWarning: (text: string) => void
}

/**
 * Reads git's configuration without running git: that of the system, the user, the repository and the working tree, with
 * `include.path` and `includeIf.gitdir`. A file that cannot be used is reported and left out. Other conditions of
 * `includeIf`, and settings in environment variables, are not evaluated.
 * @returns a function that reads the settings of one repository; each file is read once
 */
export function createSettingsReader(
  options: SettingsReaderOptions,
): (repository: Repository) => Promise<IgnoreSettings> {
  const { home, folder } = userOf(options)
  const known = new Map<string, Promise<readonly GitConfigEntry[]>>()
  const entriesIn = (file: string) => {
    const entries = known.get(file) ?? readEntries(file, options.onWarning)
    known.set(file, entries)
    return entries
  }

  return async (repository) => {
    const { root, gitDir, commonDir } = repository
    const gitDirs = [gitDir, await realpath(gitDir).catch(() => gitDir)]
    const found = new Map<string, GitConfigEntry & { readonly own: boolean }>()
    /** @param own whether the repository itself names the file, which may have come with the documents */
    const readAll = async (file: string, own: boolean, depth = 0): Promise<void> => {
      for (const entry of await entriesIn(file)) {
        const { section, subsection, key, value } = entry
        if (subsection === undefined) found.set(`${section}.${key}`, { ...entry, own })
        const isIncluded =
          subsection === undefined
            ? section === 'include'
            : section === 'includeif' && matchesGitDir(subsection, file, gitDirs, home)
        // As many files deep as git goes.
        if (!isIncluded || key !== 'path' || !value || depth === 10) continue
        if (!own || !isOnAnotherMachine(value))
          await readAll(resolve(dirname(file), withHome(value, home)), own, depth + 1)
      }
    }
    for (const file of systemAndUserFiles(options)) await readAll(file, false)
    await readAll(join(commonDir, 'config'), true)
    const perWorktree = found.get('extensions.worktreeconfig')
    if (perWorktree !== undefined && booleanOf(perWorktree))
      await readAll(join(gitDir, 'config.worktree'), true)

    const [ignoreCase, excludes] = [found.get('core.ignorecase'), found.get('core.excludesfile')]
    return {
      ignoreCase: ignoreCase !== undefined && booleanOf(ignoreCase) === true,
      excludesFile:
        excludes?.value === undefined
          ? folder && join(folder, 'git/ignore')
          : excludes.value === '' || (excludes.own && isOnAnotherMachine(excludes.value))
            ? undefined
            : resolve(root, withHome(excludes.value, home)),
    }
  }
}

/** The user's home folder, and the one below it for configuration; undefined where the environment has none. */
function userOf({ env }: SettingsReaderOptions): { home: string | undefined; folder: string | undefined } {
  const home = env['HOME'] || env['USERPROFILE'] || undefined
  return { home, folder: env['XDG_CONFIG_HOME'] || (home && join(home, '.config')) }
}

/** In order of precedence, the lowest first. */
function systemAndUserFiles(options: SettingsReaderOptions): string[] {
  const { home, folder } = userOf(options)
  const { GIT_CONFIG_NOSYSTEM: without = 'false', GIT_CONFIG_SYSTEM, GIT_CONFIG_GLOBAL } = options.env
  // On Windows it is where git was installed, which only git knows.
  const system = GIT_CONFIG_SYSTEM ?? (sep === '/' ? '/etc/gitconfig' : '')
  const files = [
    booleanOf({ value: without }) ? '' : system,
    ...(GIT_CONFIG_GLOBAL === undefined
      ? [folder && join(folder, 'git/config'), home && join(home, '.gitconfig')]
      : [GIT_CONFIG_GLOBAL]),
  ]
  return files
    .filter((file) => file !== undefined && file !== '')
    .map((file) => resolve(options.cwd, file ?? ''))
}

async function readEntries(
  file: string,
  onWarning: SettingsReaderOptions['onWarning'],
): Promise<readonly GitConfigEntry[]> {
  try {
    return parseGitConfig((await readSmallFile(file)).toString('utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR')
      onWarning(`the git configuration ${file} is not used: ${reasonOf(error as Error)}`)
    return []
  }
}

/** On Windows, opening such a path logs in to the machine that it names. */
function isOnAnotherMachine(path: string): boolean {
  return /^[/\\]{2}/.test(path)
}

function withHome(path: string, home: string | undefined): string {
  return home === undefined ? path : path.replace(/^~(?=\/|$)/, () => home)
}

/** Whether the condition of an `includeIf` holds for a repository. @param file that has the condition */
function matchesGitDir(
  condition: string,
  file: string,
  gitDirs: readonly string[],
  home: string | undefined,
): boolean {
  const [, kind, written] = /^(gitdir(?:\/i)?):(.+)$/s.exec(condition) ?? []
  if (kind === undefined || written === undefined) return false
  const pattern = withHome(written, home).replace(/^\.(?=\/)/, () => dirname(file))
  const anywhere = pattern.startsWith('/') ? pattern : `**/${pattern}`
  const whole = anywhere.replace(/\/$/, '/**')
  const options = { pathname: true, ignoreCase: kind === 'gitdir/i' }
  return gitDirs.some((gitDir) => wildmatch(whole, gitDir, options))
}
