import type { Dirent } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { UsageError } from '../errors.ts'
import { reasonOf } from './reason.ts'
import { readSmallFile } from './small-file.ts'

/** The rules that one directory lays down for everything below it. */
export interface IgnoreRules {
  /** Absolute path of that directory. */
  readonly base: string
  readonly rules: Ignore
}

/** In order of weight: what the second says overrides the first. */
const fileNames = ['.gitignore', '.claude-batchignore']

/**
 * The rules in a directory's own ignore files; undefined where it has none.
 * @throws UsageError that names a file which cannot be used: what it keeps back is not known then
 */
export async function rulesIn(
  directory: string,
  entries: readonly Pick<Dirent, 'name'>[],
): Promise<IgnoreRules | undefined> {
  const present = fileNames.filter((name) => entries.some((entry) => entry.name === name))
  const texts = await Promise.all(present.map((name) => patternsIn(join(directory, name))))
  const patterns = texts.join('\n')
  return patterns.trim() === '' ? undefined : { base: directory, rules: ignore().add(patterns) }
}

/** Each `**` multiplies the time that a match takes by the depth of the tree. */
const mostDoubleStars = 3

/** Nothing where there is no such file. */
async function patternsIn(file: string): Promise<string> {
  try {
    const text = new TextDecoder().decode(await readSmallFile(file))
    const endless = text
      .split('\n')
      .find((line) => !line.startsWith('#') && doubleStars(line) > mostDoubleStars)
    if (endless !== undefined) throw new Error(`${JSON.stringify(endless.slice(0, 80))} has too many **`)
    return text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new UsageError(`cannot use ${file}: ${reasonOf(error as Error)} (--no-ignore does without it)`)
  }
}

function doubleStars(pattern: string): number {
  return pattern.split('/').filter((part) => part.trim() === '**').length
}

/**
 * The rules that hold for a walk from `root` by what lies above it, nearest first: up to the root of its git
 * repository, or up to the working directory. A file that ignores `root` itself is set aside: it was named.
 * @throws UsageError that names a file which cannot be used
 */
export async function ancestorRules(root: string, cwd: string): Promise<IgnoreRules[]> {
  const above: string[] = []
  let repository: string | undefined = (await exists(join(root, '.git'))) ? root : undefined
  for (let directory = root; repository === undefined && dirname(directory) !== directory; ) {
    directory = dirname(directory)
    above.push(directory)
    if (await exists(join(directory, '.git'))) repository = directory
  }
  const last = above.indexOf(repository ?? cwd)
  const inForce = await Promise.all(
    above.slice(0, last + 1).map((directory) =>
      rulesIn(
        directory,
        fileNames.map((name) => ({ name })),
      ),
    ),
  )
  return inForce.filter((rules) => rules !== undefined).filter((rules) => !isIgnored(root, true, [rules]))
}

/** The nearest rules that say anything about a path decide. */
export function isIgnored(file: string, isDirectory: boolean, inForce: readonly IgnoreRules[]): boolean {
  for (const { base, rules } of inForce) {
    const path = relative(base, file).split(sep).join('/')
    const { ignored, unignored } = rules.test(isDirectory ? `${path}/` : path)
    if (ignored || unignored) return ignored
  }
  return false
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
