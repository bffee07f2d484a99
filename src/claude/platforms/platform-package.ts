import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../../errors.ts'

/** A package with the official client of a platform. */
export interface PlatformPackage {
  readonly name: string
  /** The exports of the package. */
  readonly exports: Readonly<Record<string, unknown>>
  /** Loads one of the package's own dependencies. */
  readonly loadDependency: (dependency: string) => Readonly<Record<string, unknown>>
}

/**
 * Loads a package that the user installed next to claude-batch. It is looked for from the place of claude-batch,
 * never from the working directory, whose packages may be anybody's.
 * @throws UsageError with the command that installs it
 */
export function loadPlatformPackage(name: string, from = import.meta.url): PlatformPackage {
  const requireHere = createRequire(from)
  const path = findPackage(name, requireHere)
  if (path === undefined) throw new UsageError(describeMissingPackage(name, fileURLToPath(from)))
  return {
    name,
    exports: loadExports(path, name, requireHere, fileURLToPath(from)),
    loadDependency: createRequire(path) as PlatformPackage['loadDependency'],
  }
}

/** @throws UsageError if something that the package needs is missing */
function loadExports(
  path: string,
  name: string,
  requireHere: NodeJS.Require,
  ownPath: string,
): PlatformPackage['exports'] {
  try {
    return requireHere(path) as PlatformPackage['exports']
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'MODULE_NOT_FOUND') throw error
    const [reason = ''] = message.split('\n')
    throw new UsageError(
      `the package ${name} cannot be loaded (${reason}); install it again: ${findInstallCommand(name, ownPath)}`,
    )
  }
}

function findPackage(name: string, requireHere: NodeJS.Require): string | undefined {
  try {
    return requireHere.resolve(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/**
 * Returns one line with the command that installs a package where claude-batch finds it.
 * @param path a file of claude-batch, whose folder depends on how it was installed
 */
function describeMissingPackage(name: string, path: string): string {
  return `this provider needs the package ${name}, which is not installed next to claude-batch; ${findInstallCommand(name, path)}`
}

function findInstallCommand(name: string, path: string): string {
  const [, parent = ''] = /^(.*)[/\\]node_modules[/\\]claude-batch[/\\]/.exec(path) ?? []
  if (/[/\\]_npx[/\\]/.test(path)) return `run npx -p claude-batch -p ${name} claude-batch …`
  if (parent === '') return `run npm install ${name} in ${dirname(findPackageFolder(path))}`
  // npm's global folder is `lib/node_modules`, or `npm/node_modules` on Windows; a project has any other name.
  if (/(^|[/\\])(lib|npm)$/.test(parent)) return `run npm install -g ${name}`
  return `run npm install ${name}`
}

/** Returns the package.json of claude-batch, given one of its files in `dist/` or `src/`. */
function findPackageFolder(path: string): string {
  const root = /^(.*)[/\\](dist|src)[/\\]/.exec(path)?.[1] ?? dirname(path)
  return join(root, 'package.json')
}
