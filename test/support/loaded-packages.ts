import { existsSync, readFileSync } from 'node:fs'

/**
 * Lists the packages of which a program loaded modules, according to Node's log (`NODE_DEBUG=esm,module`)
 * and, for bundled modules, their source maps.
 */
export function findLoadedPackages(debugLog: string): string[] {
  const opened = new Set([...debugLog.matchAll(/file:\/\/([^\s'"]+\.js)/g)].map(([, path = '']) => path))
  const sources = [...opened].flatMap((path) => {
    const map = `${path}.map`
    return existsSync(map) ? (JSON.parse(readFileSync(map, 'utf8')) as { sources: string[] }).sources : [path]
  })
  const packages = sources.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [])
  return [...new Set(packages)].sort()
}
