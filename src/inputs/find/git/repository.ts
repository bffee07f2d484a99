import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { readSmallFile } from '../../read-small-file.ts'

/** A git repository with a working tree. All paths are absolute. */
export interface Repository {
  /** The folder that holds `.git`. */
  readonly root: string
  /** Git's data; for a linked working tree, only what differs from the others. */
  readonly gitDir: string
  /** The data that all working trees of the repository share. */
  readonly commonDir: string
}

/** Returns the repository whose `.git` is in this folder; undefined if git would not recognize one. */
export async function readRepository(root: string): Promise<Repository | undefined> {
  const gitDir = await findGitDir(join(root, '.git')).catch(() => undefined)
  if (gitDir === undefined) return undefined
  const common = await readPath(join(gitDir, 'commondir')).catch(() => undefined)
  const commonDir = common === undefined ? gitDir : resolve(gitDir, common)
  const needed = [join(gitDir, 'HEAD'), join(commonDir, 'objects'), join(commonDir, 'refs')]
  const present = await Promise.all(needed.map((file) => stat(file).catch(() => undefined)))
  return present.includes(undefined) ? undefined : { root, gitDir, commonDir }
}

/** Returns the repository that contains a folder; undefined outside of a repository. */
export async function findRepository(folder: string): Promise<Repository | undefined> {
  for (let root = folder; ; root = dirname(root)) {
    const repository = await readRepository(root)
    if (repository !== undefined || dirname(root) === root) return repository
  }
}

/**
 * Returns the folder of git's data. `.git` is that folder, or in submodules and linked working trees a file
 * that names it.
 */
async function findGitDir(dotGit: string): Promise<string | undefined> {
  if ((await stat(dotGit)).isDirectory()) return dotGit
  const named = /^gitdir: (.+)$/s.exec(await readPath(dotGit))?.[1]
  return named === undefined ? undefined : resolve(dirname(dotGit), named)
}

async function readPath(file: string): Promise<string> {
  return (await readSmallFile(file)).toString('utf8').replace(/[\r\n]+$/, '')
}
