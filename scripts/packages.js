import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Returns the packages of modules: the folder and the fields of package.json, sorted by name and version.
 * @param modules absolute paths
 */
export async function packagesOf(modules) {
  const folders = new Set(
    modules.map((path) => /^.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0]).filter(Boolean),
  )
  const found = await Promise.all(
    [...folders].map(async (folder) => ({
      folder,
      ...JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
    })),
  )
  const byName = (a, b) => (a.name < b.name || (a.name === b.name && a.version < b.version) ? -1 : 1)
  return found.sort(byName)
}
