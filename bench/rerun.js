// Measures a run whose documents are all up to date: its time compared with a loop that lists and stats the
// same files, and its peak memory.
//   node bench/rerun.js [--json FILE] [documents …]      (default: 10000 100000)
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startSimulator } from '../.build/simulator.js'

const bin = fileURLToPath(new URL('../bin/claude-batch.js', import.meta.url))
const args = process.argv.slice(2)
const json = args[0] === '--json' ? args.splice(0, 2)[1] : undefined
const counts = args.length > 0 ? args.map(Number) : [10_000, 100_000]
const rounds = 5

/** The simple way: `node:fs/promises`, one file after the other. */
const plain = `
import { readdir, stat } from 'node:fs/promises'
const look = async (folder) => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = folder + '/' + entry.name
    if (entry.isDirectory()) await look(path)
    else await stat(path)
  }
}
for (const folder of process.argv.slice(1)) await look(folder)`
/** The fastest way in Node: synchronous calls. */
const sync = `
import { readdirSync, statSync } from 'node:fs'
const look = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = folder + '/' + entry.name
    if (entry.isDirectory()) look(path)
    else statSync(path)
  }
}
for (const folder of process.argv.slice(1)) look(folder)`
const script = (text, ...folders) => ['--input-type=module', '-e', text, ...folders]

const results = []
for (const count of counts) results.push(await measure(count))
if (json !== undefined) await writeFile(json, `${JSON.stringify(results, null, 2)}\n`)

async function measure(count) {
  const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-rerun-'))
  const limits = { rpm: 1e9, itpm: 1e12, otpm: 1e12 }
  const simulator = await startSimulator({ limits, script: () => ({ kind: 'answer', delayMs: 0 }) })
  const env = { PATH: process.env.PATH, ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'bench' }
  try {
    for (let folder = 0; folder * 100 < count; folder++) {
      await mkdir(join(cwd, `docs/${folder}`), { recursive: true })
      for (let n = 0; n < 100; n++)
        await writeFile(
          join(cwd, `docs/${folder}/note-${n}.md`),
          `# Note ${folder}-${n}\n\nA harbour has a keeper.\n`,
        )
    }
    const first = await run([bin, 'summarize', 'docs', '-q'], cwd, env)
    const { requests } = simulator.stats()
    // Interleaved, so that noise affects all commands alike.
    const runs = { tool: [], plain: [], sync: [], plainDocuments: [], node: [] }
    for (let round = 0; round < rounds; round++) {
      runs.tool.push(await run([bin, 'summarize', 'docs', '-q'], cwd, env))
      runs.plain.push(await run(script(plain, 'docs', 'summaries'), cwd, env))
      runs.sync.push(await run(script(sync, 'docs', 'summaries'), cwd, env))
      runs.plainDocuments.push(await run(script(plain, 'docs'), cwd, env))
      runs.node.push(await run(['-e', '0'], cwd, env))
    }
    if (simulator.stats().requests !== requests)
      throw new Error('a run whose documents are all up to date sent requests')
    const ms = (name) => median(runs[name].map((run) => run.ms))
    const mb = (name) => median(runs[name].map((run) => run.kb)) / 1024
    const result = {
      documents: count,
      firstRunSeconds: round(first.ms / 1000),
      rerunMs: Math.round(ms('tool')),
      timesPlainLoop: round(ms('tool') / ms('plain')),
      timesPlainLoopOverDocumentsAlone: round(ms('tool') / ms('plainDocuments')),
      timesSyncLoop: round(ms('tool') / ms('sync')),
      memoryOverNodeMB: Math.round(mb('tool') - mb('node')),
    }
    console.log(JSON.stringify(result))
    return result
  } finally {
    await simulator.close()
    await rm(cwd, { recursive: true, force: true })
  }
}

/** Runs Node. @returns wall time in ms, and peak memory (RSS) in KB @throws Error if it fails */
async function run(nodeArgs, cwd, env) {
  const start = performance.now()
  const child = spawn('/usr/bin/env', ['time', '-f', '%M', process.execPath, ...nodeArgs], { cwd, env })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  const ms = performance.now() - start
  const kb = Number(/(\d+)\s*$/.exec(stderr)?.[1])
  if (code !== 0 || !(kb > 0)) throw new Error(`exit ${code}: ${stderr}`)
  return { ms, kb }
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1]
}

function round(value) {
  return Math.round(value * 100) / 100
}
