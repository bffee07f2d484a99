import { stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { isWithin } from '../core/source-path.ts'

/** What a configuration file is called where it is not named. */
const fileName = 'claude-batch.yaml'

export interface LocateOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute paths that are summarized: what lies in one of them is somebody else's word, and not used. */
  readonly inputRoots: readonly string[]
  /** This user's id; undefined where the system has none. */
  readonly uid: number | undefined
  /** Reports a file that exists and is not used, and why. */
  readonly passedOver: (file: string, why: string) => void
}

/** A configuration file that may be used. */
export interface LocatedConfig {
  readonly file: string
  /** The user chose it, so it may set what lifts a protection. */
  readonly trusted: boolean
}

/**
 * Returns the configuration files that were not named, the one that counts least first: the user's own, then the
 * nearest `claude-batch.yaml` in the working directory or above.
 */
export async function locateConfig(options: LocateOptions): Promise<LocatedConfig[]> {
  const own = userConfig(options.env)
  const ownCounts = own !== undefined && (await isUsable(own, options))
  const found = await nearestConfig(options)
  return [
    ...(ownCounts ? [{ file: own, trusted: true }] : []),
    ...(found === undefined ? [] : [{ file: found, trusted: false }]),
  ]
}

/** @see https://specifications.freedesktop.org/basedir-spec/latest/, which says to ignore relative folders */
function userConfig({ XDG_CONFIG_HOME: xdg, HOME: home }: LocateOptions['env']): string | undefined {
  const folder = xdg && isAbsolute(xdg) ? xdg : home && isAbsolute(home) ? join(home, '.config') : undefined
  return folder === undefined ? undefined : join(folder, 'claude-batch', 'config.yaml')
}

async function nearestConfig(options: LocateOptions): Promise<string | undefined> {
  for (let folder = resolve(options.cwd); ; folder = dirname(folder)) {
    const file = join(folder, fileName)
    if (await isUsable(file, options)) return file
    if (dirname(folder) === folder) return undefined
  }
}

async function isUsable(file: string, { inputRoots, uid, passedOver }: LocateOptions): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined)
  if (!stats?.isFile()) return false
  if (inputRoots.some((root) => isWithin(file, root))) passedOver(file, 'it lies inside an input')
  // Like git's safe.directory: anybody may have put it into /tmp.
  else if (uid !== undefined && stats.uid !== uid && stats.uid !== 0) passedOver(file, 'it is another user’s')
  else return true
  return false
}
