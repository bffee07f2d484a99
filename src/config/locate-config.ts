import { realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { isInside } from '../core/document/document-path.ts'
import { findHomeFolder } from '../core/document/home-folder.ts'
import { yamlExtensions } from '../core/text/yaml-extensions.ts'
import { UsageError } from '../errors.ts'

/** The default name of a configuration file, without its extension. */
const configBasename = 'claude-batch'

export interface LocateConfigOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute paths of the inputs. A configuration file inside one of them is untrusted and not used. */
  readonly inputRoots: readonly string[]
  /** Id of the user; undefined if the system has no user ids. */
  readonly uid: number | undefined
  /** Called with each file that exists but is not used, and the reason. */
  readonly onSkipped: (file: string, reason: string) => void
}

/** A configuration file that may be used. */
export interface LocatedConfig {
  readonly file: string
  /** Whether the user chose the file, so that it may set flags with `requiresTrust`. */
  readonly trusted: boolean
}

/**
 * Returns the configuration files to use without `--config`, the lowest precedence first: the user's own
 * file, then the nearest `claude-batch.yaml` or `claude-batch.yml` in the working directory or above.
 * @throws UsageError if a folder has both a `.yaml` and a `.yml` file
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

/**
 * Returns the path of the user's configuration file, without its extension. A relative `XDG_CONFIG_HOME` is
 * ignored.
 * @see https://specifications.freedesktop.org/basedir-spec/latest/
 */
function getUserConfigPath(env: LocateConfigOptions['env']): string | undefined {
  const [xdg, home] = [env['XDG_CONFIG_HOME'], findHomeFolder(env)]
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

/** Returns the usable file with this path and a YAML extension. @throws UsageError if there are two */
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

/** Whether two paths lead to the same file, for example by a symbolic link. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([realpath(a), realpath(b)])
  return one === other
}

async function isUsable(file: string, { inputRoots, uid, onSkipped }: LocateConfigOptions): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined)
  if (!stats?.isFile()) return false
  if (inputRoots.some((root) => isInside(file, root))) onSkipped(file, 'it lies inside an input')
  // Like git's safe.directory: in a shared folder such as /tmp, another user may have put the file there.
  else if (uid !== undefined && stats.uid !== uid && stats.uid !== 0)
    onSkipped(file, 'it belongs to another user')
  else return true
  return false
}
