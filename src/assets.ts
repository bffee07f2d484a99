/**
 * Returns the URL of a file that comes with the package, from its path relative to this module. The build
 * puts all modules into one flat folder next to `src/`. Only from here is such a path the same before and
 * after the build.
 */
export function resolveAsset(
  path: `./assets/pages/${string}` | `../dist/${string}` | '../package.json' | '../prompts',
): URL {
  return new URL(path, import.meta.url)
}
