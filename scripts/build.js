// Builds dist/ from src/: the program and the library, bundled with their packages into one flat folder of
// modules; the types of the library; and files that are read at run time. See
// docs/decisions/0034-bundled-program-and-library.md.
import { execFileSync } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import * as plugins from './build-plugins.js'
import { packCharacterMaps } from './character-maps.js'
import { chunksLoadedTogether } from './chunks.js'
import { licences } from './licenses.js'
import { helpOfAllWidths, manualPage } from './manual-page.js'
import { packagesOf } from './packages.js'
import { sbomOf } from './sbom.js'

process.chdir(resolve(import.meta.dirname, '..'))
// Output for the build, tests and benches only; it is not shipped.
const scratch = '.build'

for (const folder of ['dist', scratch]) await rm(folder, { recursive: true, force: true })
const program = {
  main: 'src/main.ts',
  'fixed-text': 'src/fixed-text.ts',
  thread: 'src/inputs/read/readers/reader-thread.ts',
}
// Character maps of Chinese, Japanese and Korean fonts, for PDFs.
const cmaps = resolve('node_modules/pdfjs-dist/cmaps')
const { version, exports } = await readJson('package.json')
/** The names of the library's modules in dist/, such as `index`. */
const entries = Object.values(exports).flatMap(({ default: path }) => (path ? [basename(path, '.js')] : []))
const library = Object.fromEntries(entries.map((entry) => [entry, `src/${entry}.ts`]))
const modules = await bundle({ ...program, ...library }, 'dist')
const maps = (await readdir(cmaps)).map((file) => join(cmaps, file))
const packages = await packagesOf([...Object.values(modules).flat(), ...maps])
await writeFile('dist/third-party-licenses.txt', await licences(packages))
await writeFile('dist/sbom.cdx.json', `${JSON.stringify(await sbomOf(packages), null, 2)}\n`)
await cp('src/assets/pages', 'dist/assets/pages', { recursive: true })
await packCharacterMaps(cmaps, 'dist/character-maps.br')
await writeTypes()
for (const entry of entries) await writeCommonJsEntry(entry)
await writeSchemasAndManual()
// For tests of what a command loads.
await writeFile(`${scratch}/modules.json`, JSON.stringify(modules))

/** Bundles modules into a folder. @returns the paths of the source modules of each file */
async function bundle(input, dir) {
  const { plugin, codeSplitting } = chunksLoadedTogether()
  const build = await rolldown({
    input,
    platform: 'node',
    external: [/^node:/],
    plugins: [...Object.values(plugins), plugin],
    // Its modules only define things, but its package.json does not say so; most of them are not used.
    treeshake: { moduleSideEffects: [{ test: /@cantoo\/pdf-lib/, sideEffects: false }] },
  })
  const { output } = await build.write({
    dir,
    format: 'esm',
    codeSplitting,
    // Other bundlers need the annotations, to leave out what an application does not use.
    comments: { legal: true, annotation: true, jsdoc: false },
    entryFileNames: '[name].js',
    // One flat folder, see src/assets.ts. No hashes, so that stack traces look the same in every release.
    chunkFileNames: '[name].js',
  })
  await build.close()
  const used = ({ modules }) => Object.keys(modules).filter((id) => modules[id].renderedLength > 0)
  return Object.fromEntries(output.map((chunk) => [chunk.fileName, used(chunk)]))
}

/** Writes the type declarations of the library and all declarations that they import. */
async function writeTypes() {
  const compiler = 'node_modules/typescript/bin/tsc'
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
  const all = `${scratch}/types`
  const wanted = new Set(entries.map((entry) => join(all, `${entry}.d.ts`)))
  for (const file of wanted) {
    const text = await readFile(file, 'utf8')
    for (const [, path] of text.matchAll(/from '(\..+?)\.ts'/g))
      wanted.add(join(dirname(file), `${path}.d.ts`))
    await cp(file, join('dist/types', relative(all, file)))
  }
}

/**
 * Writes an entry for CommonJS modules, which requires the ECMAScript module, and its types. TypeScript's `node16` and
 * `node18` do not know that Node.js can require an ECMAScript module, and accept only types from it.
 */
async function writeCommonJsEntry(entry) {
  const from = `'./${entry}.d.ts' with { 'resolution-mode': 'import' }`
  const values = Object.entries(await import(`../dist/${entry}.js`)).map(([name, value]) => {
    const isClass = /^class\b/.test(String(value))
    const type = isClass ? `export type ${name} = library.${name}\n` : ''
    return `export declare const ${name}: typeof library.${name}\n${type}`
  })
  const types = `import type * as library from ${from}\nexport type * from ${from}\n${values.join('')}`
  await writeFile(`dist/types/${entry}.d.cts`, types)
  await writeFile(`dist/${entry}.cjs`, `module.exports = require('./${entry}.js')\n`)
}

/** Writes the JSON Schemas for editors, the help and the manual page. */
async function writeSchemasAndManual() {
  const parts = {
    cli: 'src/cli.ts',
    fixed: 'src/fixed-text.ts',
    commands: 'src/cli/visible-commands.ts',
    schema: 'src/config/config-schema.ts',
    report: 'src/core/report/report-json.ts',
    estimate: 'src/core/estimate/estimate-json.ts',
    ledger: 'src/core/run/ledger-entry.ts',
    jsonl: 'src/core/run/jsonl-line.ts',
    progress: 'src/ui/run-event.ts',
    log: 'src/sinks/request-log.ts',
    simulator: 'src/simulator/simulator.ts',
    random: 'src/simulator/seeded-random.ts',
    documents: 'src/inputs/read/read-document.ts',
    slurm: 'test/support/slurm.ts',
  }
  await bundle(parts, scratch)
  const built = (name) => import(`../${scratch}/${name}.js`)
  const [cli, commands] = [await built('cli'), await built('commands')]
  const { buildConfigSchema, promptSchema } = await built('schema')
  await mkdir('dist/schemas')
  const schemas = {
    config: buildConfigSchema(),
    prompt: promptSchema,
    report: (await built('report')).reportSchema,
    estimate: (await built('estimate')).estimateSchema,
    ledger: (await built('ledger')).ledgerSchema,
    jsonl: (await built('jsonl')).jsonlSchema,
    progress: (await built('progress')).runEventSchema,
    'request-log': (await built('log')).requestLogSchema,
  }
  for (const [name, schema] of Object.entries(schemas))
    await writeFile(`dist/schemas/${name}.json`, `${JSON.stringify(schema, null, 2)}\n`)
  await writeFile('dist/help.txt', await helpOfAllWidths(cli, await built('fixed'), version))
  await mkdir('dist/man')
  await writeFile('dist/man/claude-batch.1', await manualPage({ ...cli, ...commands }, version))
}

async function readJson(file) {
  return JSON.parse(await readFile(file, 'utf8'))
}
