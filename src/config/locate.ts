import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isWithin } from '../core/source-path.ts'

/** What a configuration file is called where it is not named. */
const fileName = 'claude-batch.yaml'

export interface LocateOptions {
  readonly cwd: string
  /** Absolute paths that are summarized: what lies in one of them is somebody else's word, and not used. */
  readonly inputRoots: readonly string[]
  /** This user's id; undefined where the system has none. */
  readonly uid: number | undefined
  /** Told of a file that is there and is not used, and why. */
  readonly passedOver: (file: string, why: string) => void
}

/** The nearest configuration file in the working directory or above that this user may rely on. */
export async function locateConfig({
  cwd,
  inputRoots,
  uid,
  passedOver,
}: LocateOptions): Promise<string | undefined> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const file = join(folder, fileName)
    const stats = await stat(file).catch(() => undefined)
    if (stats?.isFile()) {
      if (inputRoots.some((root) => isWithin(file, root))) passedOver(file, 'it lies inside an input')
      // Like git's safe.directory: anybody may have put it into /tmp.
      else if (uid !== undefined && stats.uid !== uid && stats.uid !== 0)
        passedOver(file, 'it is another user’s')
      else return file
    }
    if (dirname(folder) === folder) return undefined
  }
}
