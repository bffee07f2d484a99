// Builds dist/ from src/: the program and the library with their packages in one flat folder of modules, the types of
// the library, and the files that are read at run time. The reasons: docs/decisions/0034-bundled-program-and-library.md.
import { execFileSync } from 'node:child_process'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { builtinsWithoutPath, embeddedPrompts } from './build-plugins.js'
import { licences } from './licenses.js'
import { manualPage } from './manual-page.js'
import { packagesOf } from './packages.js'
import { sbomOf } from './sbom.js'

process.chdir(resolve(import.meta.dirname, '..'))
// What only building, tests and benches need; it is not shipped.
const scratch = '.build'

for (const folder of ['dist', scratch]) await rm(folder, { recursive: true, force: true })
const program = {
  main: 'src/main.ts',
  runtime: 'src/runtime.ts',
  thread: 'src/inputs/read/readers/reader-thread.ts',
}
const modules = await bundled({ ...program, index: 'src/index.ts' }, 'dist')
const packages = await packagesOf(modules)
await writeFile('dist/third-party-licenses.txt', await licences(packages))
await writeFile('dist/sbom.cdx.json', `${JSON.stringify(await sbomOf(packages), null, 2)}\n`)
await cp('src/assets/pages', 'dist/assets/pages', { recursive: true })
// Which characters the codes of Chinese, Japanese and Korean fonts are.
await cp('node_modules/pdfjs-dist/cmaps', 'dist/cmaps', { recursive: true })
await types()
await described()

/** @returns the paths of all modules that got in */
async function bundled(input, dir) {
  const plugins = [embeddedPrompts, builtinsWithoutPath]
  const build = await rolldown({ input, platform: 'node', external: [/^node:/], plugins })
  const { output } = await build.write({
    dir,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    // All in one folder, see src/assets.ts; without hashes, so that a stack says the same in every release.
    chunkFileNames: '[name].js',
  })
  await build.close()
  for (const { fileName } of output) if (fileName.endsWith('.map')) await withoutPackages(join(dir, fileName))
  return output.flatMap(({ modules = {} }) =>
    Object.keys(modules).filter((id) => modules[id].renderedLength > 0),
  )
}

/** A stack still names their lines; their texts are where they come from, and twice as long as all the rest. */
async function withoutPackages(file) {
  const map = await json(file)
  const texts = map.sources.map((source, n) =>
    source.includes('node_modules') ? null : map.sourcesContent[n],
  )
  await writeFile(file, JSON.stringify({ ...map, sourcesContent: texts }))
}

/** Those that the library shows, and what they are made of. */
async function types() {
  const compiler = 'node_modules/typescript/bin/tsc'
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
  const all = `${scratch}/types`
  const wanted = new Set([join(all, 'index.d.ts')])
  for (const file of wanted) {
    const text = await readFile(file, 'utf8')
    for (const [, path] of text.matchAll(/from '(\..+?)\.ts'/g))
      wanted.add(join(dirname(file), `${path}.d.ts`))
    await cp(file, join('dist/types', relative(all, file)))
  }
}

/** The schemas that editors complete by, and the manual page. */
async function described() {
  const parts = {
    cli: 'src/cli.ts',
    commands: 'src/cli/visible-commands.ts',
    schema: 'src/config/config-schema.ts',
    report: 'src/core/report/report-json.ts',
    estimate: 'src/core/estimate/estimate-json.ts',
    ledger: 'src/core/run/ledger-entry.ts',
    jsonl: 'src/sinks/jsonl-sink.ts',
    log: 'src/sinks/request-log.ts',
    simulator: 'src/simulator/simulator.ts',
    random: 'src/simulator/seeded-random.ts',
  }
  await bundled(parts, scratch)
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
    'request-log': (await built('log')).requestLogSchema,
  }
  for (const [name, schema] of Object.entries(schemas))
    await writeFile(`dist/schemas/${name}.json`, `${JSON.stringify(schema, null, 2)}\n`)
  const { version } = await json('package.json')
  await mkdir('dist/man')
  await writeFile('dist/man/claude-batch.1', await manualPage({ ...cli, ...commands }, version))
}

async function json(file) {
  return JSON.parse(await readFile(file, 'utf8'))
}
