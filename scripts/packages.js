import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Finds the packages that modules belong to.
 * @param modules absolute paths
 * @returns each package's folder and its package.json, sorted by name and version
 */
export async function packagesOf(modules) {
  const folders = new Set(
    modules.map((path) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0]).filter(Boolean),
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
