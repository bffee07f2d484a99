import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/** Lists the packages of which a program loaded modules, according to Node's log (`NODE_DEBUG=esm,module`). */
export function findLoadedPackages(debugLog: string): string[] {
  const bundled = readBundledPackages()
  const opened = debugLog.matchAll(/file:\/\/[^\s'"]+\/dist\/([\w.-]+\.js)/g)
  return [...new Set(Array.from(opened, ([, file = '']) => bundled[file] ?? []).flat())].sort()
}

/** Returns the packages that each file of `dist/` contains, according to the build. */
export function readBundledPackages(): Record<string, string[]> {
  const modules = JSON.parse(readFileSync(resolve(root, '.build/modules.json'), 'utf8')) as Record<
    string,
    string[]
  >
  const toPackage = (path: string) => /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []
  return Object.fromEntries(Object.entries(modules).map(([file, paths]) => [file, paths.flatMap(toPackage)]))
}
