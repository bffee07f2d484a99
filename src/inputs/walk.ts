import { type Dirent, readdir, realpath, stat } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { promisify } from 'node:util'
import type { FileSystemAdapter } from 'fast-glob'
import type { InputProblem } from '../core/document.ts'
import { isWithin } from '../core/source-path.ts'
import { UsageError } from '../errors.ts'
import { documentOf, earlierOutput, memoryFolder } from './earlier-output.ts'
import { ancestorRules, type IgnoreRules, isIgnored, rulesIn } from './ignore-files.ts'
import { reasonOf } from './reason.ts'

/** Something met in a walk that cannot be a document, and why. */
export interface PassedOver {
  /** Absolute path. */
  readonly file: string
  readonly problem: InputProblem
}

export interface WalkOptions {
  readonly cwd: string
  readonly out?: string
  readonly hidden: boolean
  readonly follow: boolean
  readonly ignoreFiles: boolean
  /** Told of unreadable directories, pipes, devices and links, which fast-glob would pass over in silence. */
  readonly tell: (passedOver: PassedOver) => void
}

/** Directories nobody means when naming the folder around them; naming them, or `--no-ignore`, includes them. */
const neverMeant = ['node_modules', '.git']

/**
 * The file system as a walk from `root` may see it: without hidden and ignored files, the output folder, and what
 * earlier runs wrote. Filtering here, before fast-glob descends, is what keeps a walk out of ignored trees.
 */
export async function walkFileSystem(
  root: string,
  options: WalkOptions,
): Promise<Partial<FileSystemAdapter>> {
  const { hidden, follow, ignoreFiles, out, tell } = options
  const pruned = ignoreFiles ? neverMeant.filter((name) => !root.split(sep).includes(name)) : []
  const rules = new Map<string, readonly IgnoreRules[]>()
  const real = new Map<string, string>()
  if (ignoreFiles) rules.set(dirname(root), await ancestorRules(root, options.cwd))

  const look = async (directory: string): Promise<Dirent[]> => {
    if (follow && (await isLoop(directory, root, real))) return []
    const unreadable = (problem: Omit<InputProblem, 'as'>): never[] => {
      tell({ file: directory, problem: { as: 'fail', ...problem } })
      return []
    }
    const entries = await list(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      // A pattern may begin where there is nothing: then it matches nothing.
      if (directory === root && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return []
      if (error.code === 'ENOENT' && directory.includes('\ufffd'))
        return unreadable({ type: 'bad_name', message: 'the name of this directory is not UTF-8; rename it' })
      return unreadable({
        type: 'unreadable',
        message: `cannot read this directory: ${reasonOf(error)}`,
      })
    })
    const inherited = rules.get(dirname(directory)) ?? []
    let own: IgnoreRules | undefined
    try {
      own = ignoreFiles ? await rulesIn(directory, entries) : undefined
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      return unreadable({ type: 'unusable_rules', message: error.message })
    }
    const inForce = own === undefined ? inherited : [own, ...inherited]
    rules.set(directory, inForce)
    const names = new Set(entries.map(({ name }) => name))
    const visible = entries.filter((entry) => {
      const { name } = entry
      const file = join(directory, name)
      if (pruned.includes(name) || name === memoryFolder || (!hidden && name.startsWith('.'))) return false
      if (file === out) return false
      // Beside its document it is surely ours; elsewhere it is said.
      const about = documentOf(name)
      if (about !== undefined && names.has(about)) return false
      if (isIgnored(file, entry.isDirectory(), inForce)) return false
      const problem = about === undefined ? problemOf(entry, follow) : earlierOutput
      if (problem !== undefined) tell({ file, problem })
      return problem === undefined
    })
    const refused = new Set<Dirent>()
    for (const link of visible.filter((entry) => entry.isSymbolicLink())) {
      const file = join(directory, link.name)
      const problem = await problemOfTarget(file, root)
      if (problem === undefined) continue
      tell({ file, problem })
      refused.add(link)
    }
    return refused.size === 0 ? visible : visible.filter((entry) => !refused.has(entry))
  }

  const adapter = (
    directory: string,
    _options: unknown,
    done: (error: Error | null, entries: Dirent[]) => void,
  ) => {
    look(directory).then(
      (entries) => done(null, entries),
      (error: Error) => done(error, []),
    )
  }
  return { readdir: adapter as unknown as FileSystemAdapter['readdir'] }
}

const list = promisify(readdir) as (path: string, options: { withFileTypes: true }) => Promise<Dirent[]>

function problemOf(entry: Dirent, follow: boolean): InputProblem | undefined {
  if (entry.isFile() || entry.isDirectory() || (entry.isSymbolicLink() && follow)) return undefined
  if (entry.isSymbolicLink())
    return { as: 'skip', type: 'link', message: 'a symbolic link (--follow follows it)' }
  return notAFile
}

const notAFile: InputProblem = { as: 'skip', type: 'not_a_file', message: 'not a regular file' }

const leadsOut: InputProblem = {
  as: 'skip',
  type: 'link',
  message: 'the link leads out of the folder; name what it leads to',
}

/** A link that is followed may lead to nothing, to no file, or to where nobody meant to go. */
async function problemOfTarget(link: string, root: string): Promise<InputProblem | undefined> {
  try {
    const target = await promisify(stat)(link)
    if (!target.isFile() && !target.isDirectory()) return notAFile
    const [realRoot, real] = [await promisify(realpath)(root), await promisify(realpath)(link)]
    return isWithin(real, realRoot) ? undefined : leadsOut
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const nowhere = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP'
    return {
      as: 'skip',
      type: 'link',
      message: nowhere ? 'the link leads nowhere' : reasonOf(error as Error),
    }
  }
}

/** A directory that leads back to one it lies in; the links before it have all been looked up by then. */
async function isLoop(directory: string, root: string, real: Map<string, string>): Promise<boolean> {
  const target = await promisify(realpath)(directory).catch(() => directory)
  real.set(directory, target)
  for (let above = directory; above !== root && relative(root, above) !== ''; ) {
    above = dirname(above)
    if (real.get(above) === target) return true
  }
  return false
}
