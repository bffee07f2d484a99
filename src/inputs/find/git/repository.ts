import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readSmallFile } from '../../read-small-file.ts'

/** A git repository with a working tree. All paths are absolute. */
export interface Repository {
  /** The folder that holds `.git`. */
  readonly root: string
  /** Its own data; of a linked working tree, only what differs from the others. */
  readonly gitDir: string
  /** What all working trees of the repository share. */
  readonly commonDir: string
}

/** The repository whose `.git` is in this very folder, if git would take it for one. */
export async function readRepository(root: string): Promise<Repository | undefined> {
  const gitDir = await findGitDir(join(root, '.git')).catch(() => undefined)
  if (gitDir === undefined) return undefined
  const common = await readPath(join(gitDir, 'commondir')).catch(() => undefined)
  const commonDir = common === undefined ? gitDir : resolve(gitDir, common)
  const needed = [join(gitDir, 'HEAD'), join(commonDir, 'objects'), join(commonDir, 'refs')]
  const present = await Promise.all(needed.map((file) => stat(file).catch(() => undefined)))
  return present.includes(undefined) ? undefined : { root, gitDir, commonDir }
}

/** The repository that a folder lies in. */
export async function findRepository(folder: string): Promise<Repository | undefined> {
  for (let root = folder; ; root = dirname(root)) {
    const repository = await readRepository(root)
    if (repository !== undefined || dirname(root) === root) return repository
  }
}

/** `.git` is a folder, or a file that names one: in submodules and linked working trees. */
async function findGitDir(dotGit: string): Promise<string | undefined> {
  if ((await stat(dotGit)).isDirectory()) return dotGit
  const named = /^gitdir: (.+)$/s.exec(await readPath(dotGit))?.[1]
  return named === undefined ? undefined : resolve(dirname(dotGit), named)
}

async function readPath(file: string): Promise<string> {
  return (await readSmallFile(file)).toString('utf8').replace(/[\r\n]+$/, '')
}
