/**
 * A file that comes with the package, by its path from here. The build makes one flat folder of all modules, beside
 * this one's place, so that only here such a path is the same before and after it.
 */
export function resolveAsset(
  path: `./assets/pages/${string}` | `../dist/${string}` | '../package.json' | '../prompts',
): URL {
  return new URL(path, import.meta.url)
}
