// Measures what the library costs an application: user CPU and the files that an import of each of its modules loads,
// user CPU of the first request, and the size of a bundle. Compared with bare Node and the official SDK.
//   node bench/library.js [--runs 15] [--json FILE] [--check]
import { spawnSync } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { rolldown } from 'rolldown'
import { finish, finishOptions } from './check.js'
import { machine, spread, timed, zeroServer } from './processes.js'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' }, ...finishOptions } })
const cwd = fileURLToPath(new URL('..', import.meta.url))
const { exports } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
const entries = Object.keys(exports).filter((path) => typeof exports[path] === 'object')
const names = [...entries.map((path) => path.replace('.', 'claude-batch')), '@anthropic-ai/sdk']

const toArgs = (code) => ['--input-type=module', '--eval', code]
const runs = {
  'bare Node': toArgs(''),
  ...Object.fromEntries(names.map((name) => [name, toArgs(`import '${name}'`)])),
  'claude-batch, first request': toArgs(
    `import { createClient } from 'claude-batch'; await createClient().complete('Are you there?')`,
  ),
  '@anthropic-ai/sdk, first request': toArgs(
    `import Anthropic from '@anthropic-ai/sdk'; const messages = [{ role: 'user', content: 'Are you there?' }]; await new Anthropic().messages.create({ model: 'claude-haiku-5-5', max_tokens: 1024, messages })`,
  ),
}

/** Returns the number and the size in bytes of the files that an import loads, from the module log of Node. */
async function measureFiles(name) {
  const env = { PATH: process.env.PATH, NODE_DEBUG: 'esm' }
  const { stderr } = spawnSync(process.execPath, runs[name], { cwd, env, encoding: 'utf8', maxBuffer: 1e9 })
  const urls = new Set(stderr.match(/file:\/\/[^\s'"]+\.[cm]?js/g))
  const sizes = await Promise.all([...urls].map(async (url) => (await stat(fileURLToPath(url))).size))
  return { files: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

/** Returns the size in bytes of an application that uses everything that a module exports, bundled and minified. */
async function measureBundle(name) {
  const app = '\0app'
  const build = await rolldown({
    input: app,
    cwd,
    platform: 'node',
    logLevel: 'silent',
    plugins: [
      {
        name: 'app',
        resolveId: (id) => (id === app ? id : undefined),
        load: (id) => (id === app ? `import * as all from '${name}'; console.log(all)` : undefined),
      },
    ],
  })
  const { output } = await build.generate({ format: 'esm', minify: true, codeSplitting: false })
  await build.close()
  return output.reduce((sum, { code = '' }) => sum + Buffer.byteLength(code), 0)
}

const server = await zeroServer()
try {
  const times = Object.fromEntries(Object.keys(runs).map((name) => [name, []]))
  // Interleaved, so that noise affects all alike.
  for (let run = 0; run < Number(values.runs); run++)
    for (const [name, args] of Object.entries(runs)) {
      times[name].push((await timed(args, { cwd, url: server.url })).userMs)
    }
  const toRatio = (value) => Math.round(value * 100) / 100
  const bareMs = spread(times['bare Node']).median
  const result = Object.fromEntries(
    Object.entries(times).map(([name, all]) => {
      const userMs = spread(all)
      return [name, { user_ms: userMs, times_bare: toRatio(userMs.median / bareMs) }]
    }),
  )
  for (const name of names)
    Object.assign(result[name], {
      loaded: await measureFiles(name),
      bundled_bytes: await measureBundle(name),
    })
  for (const [name, { user_ms: userMs, times_bare: times, loaded, bundled_bytes: bundled }] of Object.entries(
    result,
  )) {
    const sizes = loaded && `${loaded.files} files, ${kilobytes(loaded.bytes)}, bundled ${kilobytes(bundled)}`
    const time = `${userMs.median} ms (${userMs.min}–${userMs.max})  ${times} × bare Node`
    console.log(`${name.padEnd(34)} ${time}  ${sizes ?? ''}`)
  }
  await finish('library', { machine, ...result }, toRatios, values)
} finally {
  server.close()
}

function toRatios(result) {
  const sdk = '@anthropic-ai/sdk'
  const request = 'claude-batch, first request'
  const toRatio = (name, other) => result[name].user_ms.median / result[other].user_ms.median
  return Object.fromEntries([
    ...entries.map((path) => [
      `import of ${path} × import of the SDK`,
      toRatio(path.replace('.', 'claude-batch'), sdk),
    ]),
    ['import and first request × the same with the SDK', toRatio(request, `${sdk}, first request`)],
  ])
}

function kilobytes(bytes) {
  return `${Math.round(bytes / 1000)} kB`
}
