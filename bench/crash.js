// Kills runs with SIGKILL at random moments, and completes them with a second run. Checks that no file is torn,
// no document is lost, and only requests in flight are paid twice.
//   node bench/crash.js [--runs 200] [--documents 300] [--seed 1] [--json FILE]
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createSeededRandom } from '../.build/random.js'
import { startSimulator } from '../.build/simulator.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    documents: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})
const [runs, documents, seed] = [values.runs, values.documents, values.seed].map(Number)
const bin = fileURLToPath(new URL('../bin/claude-batch.js', import.meta.url))
const concurrency = 16
const random = createSeededRandom(seed)
const limits = { rpm: 1e9, itpm: 1e12, otpm: 1e12 }

const folder = await mkdtemp(join(tmpdir(), 'claude-batch-crash-'))
const totals = {
  kills: 0,
  torn: 0,
  lost: 0,
  paidTwice: 0,
  mostPaidTwice: 0,
  moreThanInFlight: 0,
  recovered: 0,
  different: 0,
  ledgerOff: 0,
  tornLedgerLines: 0,
}
try {
  await mkdir(join(folder, 'docs'))
  for (let n = 0; n < documents; n++)
    await writeFile(
      join(folder, `docs/note-${n}.md`),
      `# Note ${n}\n\n${`The ferry number ${n} sails at nine, and the harbour master writes it down. `.repeat(1 + (n % 7))}\n`,
    )
  const whole = await uninterrupted()
  // A run that ended before its kill does not count.
  for (let round = 0; totals.kills < runs; round++) {
    await crash(round, whole)
    if (process.stdout.isTTY) process.stdout.write(`\r${JSON.stringify(totals)}`)
  }
  const result = { documents, concurrency, seed, ...totals }
  console.log(`${process.stdout.isTTY ? '\n' : ''}${JSON.stringify(result)}`)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`)
  const bad = totals.torn + totals.lost + totals.moreThanInFlight + totals.different + totals.ledgerOff
  process.exitCode = bad > 0 ? 1 : 0
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function service() {
  const delays = createSeededRandom(seed)
  return startSimulator({ limits, script: () => ({ kind: 'answer', delayMs: 5 + 40 * delays() }) })
}

/** Runs without a kill. @returns the output files, and the duration in ms */
async function uninterrupted() {
  const simulator = await service()
  const start = performance.now()
  const { ended } = run('whole', simulator)
  const { code } = await ended
  const ms = performance.now() - start
  if (code !== 0) throw new Error(`the uninterrupted run ended with ${code}`)
  await simulator.close()
  return { ms, tree: await treeIn('whole') }
}

async function crash(round, whole) {
  const simulator = await service()
  const out = `out-${round}`
  try {
    const { child, ended } = run(out, simulator)
    await new Promise((resolve) => setTimeout(resolve, random() * whole.ms))
    child.kill('SIGKILL')
    const { signal } = await ended
    if (signal === 'SIGKILL') totals.kills++

    const left = await treeIn(out)
    for (const [name, text] of left) if (whole.tree.get(name) !== text) totals.torn++
    const { stderr, code } = await run(out, simulator).ended
    if (code !== 0) throw new Error(`the second run ended with ${code}: ${stderr}`)
    totals.recovered += Number(/(\d+) summar\w+ paid for by an interrupted run/.exec(stderr)?.[1] ?? 0)

    const tree = await treeIn(out)
    for (const name of whole.tree.keys()) if (!tree.has(name)) totals.lost++
    for (const [name, text] of tree) if (whole.tree.get(name) !== text) totals.different++
    const twice = [...simulator.stats().prompts.values()].filter((times) => times > 1).length
    totals.paidTwice += twice
    totals.mostPaidTwice = Math.max(totals.mostPaidTwice, twice)
    if (twice > concurrency) totals.moreThanInFlight++
    // The ledger must contain every request except those that the kill cut off.
    const recorded = await requestsInLedger(out)
    const { requests } = simulator.stats()
    if (recorded > requests || requests - recorded !== twice) totals.ledgerOff++
  } finally {
    await simulator.close()
    await rm(join(folder, out), { recursive: true, force: true })
  }
}

function run(out, simulator) {
  const args = [
    bin,
    'summarize',
    'docs',
    '-o',
    out,
    '--progress',
    'off',
    '--concurrency',
    String(concurrency),
  ]
  const env = { PATH: process.env.PATH, ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'bench' }
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stderr })),
  )
  return { child, ended }
}

async function treeIn(out) {
  const tree = new Map()
  const names = await readdir(join(folder, out), { recursive: true }).catch(() => [])
  for (const name of names.filter((name) => name.endsWith('.summary.md') || name.endsWith('.error.txt')))
    tree.set(name, await readFile(join(folder, out, name), 'utf8'))
  return tree
}

async function requestsInLedger(out) {
  const text = await readFile(join(folder, out, '.claude-batch/ledger.jsonl'), 'utf8')
  let requests = 0
  for (const line of text.trimEnd().split('\n')) {
    try {
      requests += JSON.parse(line).attempts ?? 0
    } catch {
      // A kill can cut off a write to the ledger; the journal has the whole entry.
      totals.tornLedgerLines++
    }
  }
  return requests
}
