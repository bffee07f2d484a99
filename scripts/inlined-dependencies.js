// Updates `inlinedDependencies` in package.json: the packages that dist/ contains, with their versions. Run
// the build first. With --check, fails if the list is out of date.
//   node scripts/inlined-dependencies.js [--check]
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'

process.chdir(resolve(import.meta.dirname, '..'))
const json = async (file) => JSON.parse(await readFile(file, 'utf8'))
const { components } = await json('dist/sbom.cdx.json')
const inlined = {}
for (const { group, name, version } of components) {
  const key = group === undefined ? name : `${group}/${name}`
  inlined[key] = key in inlined ? [inlined[key], version].flat() : version
}
const text = await readFile('package.json', 'utf8')
const wanted = `${JSON.stringify({ ...JSON.parse(text), inlinedDependencies: inlined }, null, 2)}\n`
if (process.argv.includes('--check')) {
  if (text !== wanted) {
    console.error('inlinedDependencies in package.json does not match dist/; run `npm run inlined`')
    process.exitCode = 1
  }
} else await writeFile('package.json', wanted)
