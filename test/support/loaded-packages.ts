import { existsSync, readFileSync } from 'node:fs'

/**
 * The packages that a program loaded parts of: read off what Node told of the modules it opened (`NODE_DEBUG=esm,module`)
 * and, as our own modules have packages in them, off their source maps.
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
