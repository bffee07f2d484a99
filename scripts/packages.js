import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Returns the packages that files come from: the folder, its files among these, and the fields of package.json,
 * sorted by name and version.
 * @param paths absolute paths
 */
export async function packagesOf(paths) {
  const folderOf = (path) => /^.*[\\/]node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(path)?.[0]
  const folders = [...new Set(paths.map(folderOf).filter(Boolean))]
  const found = await Promise.all(
    folders.map(async (folder) => ({
      ...JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
      folder,
      files: paths.filter((path) => folderOf(path) === folder),
    })),
  )
  const byName = (a, b) => (a.name < b.name || (a.name === b.name && a.version < b.version) ? -1 : 1)
  return found.sort(byName)
}
