import { realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { isInside } from '../core/document/document-path.ts'
import { yamlExtensions } from '../core/text/yaml-extensions.ts'
import { UsageError } from '../errors.ts'

/** What a configuration file is called where it is not named, without its extension. */
const configBasename = 'claude-batch'

export interface LocateConfigOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute paths that are summarized: what lies in one of them is somebody else's word, and not used. */
  readonly inputRoots: readonly string[]
  /** This user's id; undefined where the system has none. */
  readonly uid: number | undefined
  /** Reports a file that exists and is not used, and why. */
  readonly onSkipped: (file: string, why: string) => void
}

/** A configuration file that may be used. */
export interface LocatedConfig {
  readonly file: string
  /** The user chose it, so it may set what lifts a protection. */
  readonly trusted: boolean
}

/**
 * Returns the configuration files that were not named, the one that counts least first: the user's own, then the
 * nearest `claude-batch.yaml` or `claude-batch.yml` in the working directory or above.
 * @throws UsageError where one folder has both a `.yaml` and a `.yml` file
 */
export async function locateConfig(options: LocateConfigOptions): Promise<LocatedConfig[]> {
  const userConfigPath = getUserConfigPath(options.env)
  const userFile = userConfigPath && (await findUsableYaml(userConfigPath, options))
  const nearestFile = await findNearestConfig(options)
  return [
    ...(userFile ? [{ file: userFile, trusted: true }] : []),
    ...(nearestFile === undefined ? [] : [{ file: nearestFile, trusted: false }]),
  ]
}

/** Without its extension. @see https://specifications.freedesktop.org/basedir-spec/latest/, which says to ignore relative folders */
function getUserConfigPath({
  XDG_CONFIG_HOME: xdg,
  HOME: home,
}: LocateConfigOptions['env']): string | undefined {
  const folder = xdg && isAbsolute(xdg) ? xdg : home && isAbsolute(home) ? join(home, '.config') : undefined
  return folder === undefined ? undefined : join(folder, 'claude-batch', 'config')
}

async function findNearestConfig(options: LocateConfigOptions): Promise<string | undefined> {
  for (let folder = resolve(options.cwd); ; folder = dirname(folder)) {
    const file = await findUsableYaml(join(folder, configBasename), options)
    if (file !== undefined) return file
    if (dirname(folder) === folder) return undefined
  }
}

/** Returns the file of that path and one of the extensions. @throws UsageError where there are two */
async function findUsableYaml(path: string, options: LocateConfigOptions): Promise<string | undefined> {
  const files: string[] = []
  for (const extension of yamlExtensions)
    if (await isUsable(path + extension, options)) files.push(path + extension)
  const [file, other] = files
  if (file === undefined || other === undefined || (await isSameFile(file, other))) return file
  throw new UsageError(
    `there are two configurations, ${file} and ${other}; remove one, or name one with --config`,
  )
}

/** By a link, or in a file system that does not tell their names apart. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([realpath(a), realpath(b)])
  return one === other
}

async function isUsable(file: string, { inputRoots, uid, onSkipped }: LocateConfigOptions): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined)
  if (!stats?.isFile()) return false
  if (inputRoots.some((root) => isInside(file, root))) onSkipped(file, 'it lies inside an input')
  // Like git's safe.directory: anybody may have put it into /tmp.
  else if (uid !== undefined && stats.uid !== uid && stats.uid !== 0) onSkipped(file, 'it is another user’s')
  else return true
  return false
}
