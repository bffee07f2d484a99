// Kills runs with SIGKILL at random moments, and completes them with a second run. Checks that no file is torn,
// no document is lost, and only requests in flight are paid twice. Then does the same with power losses: what a killed
// run had not synced is lost, as test/support/power-loss.mjs describes.
//   node bench/crash.js [--runs 200] [--power-losses RUNS] [--documents 300] [--seed 1] [--json FILE]
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createSeededRandom } from '../.build/random.js'
import { startSimulator } from '../.build/simulator.js'
import { updateJson } from './processes.js'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    'power-losses': { type: 'string' },
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

const recorder = new URL('../test/support/power-loss.mjs', import.meta.url)
const { readDiskLog, readTree, replay, writeTree } = await import(recorder)

const folder = await mkdtemp(join(tmpdir(), 'claude-batch-crash-'))
const createTotals = () => ({
  torn: 0,
  lost: 0,
  paidTwice: 0,
  mostPaidTwice: 0,
  moreThanInFlight: 0,
  recovered: 0,
  different: 0,
  ledgerOff: 0,
  tornLedgerLines: 0,
})
const kills = { count: 0, ...createTotals() }
const powerLosses = { count: 0, ...createTotals() }
try {
  await mkdir(join(folder, 'docs'))
  for (let n = 0; n < documents; n++)
    await writeFile(
      join(folder, `docs/note-${n}.md`),
      `# Note ${n}\n\n${`The ferry number ${n} sails at nine, and the harbour master writes it down. `.repeat(1 + (n % 7))}\n`,
    )
  const whole = await uninterrupted()
  // A run that ended before its kill does not count.
  for (const [totals, fail, wanted] of [
    [kills, kill, runs],
    [powerLosses, losePower, Number(values['power-losses'] ?? runs)],
  ])
    for (let round = 0; totals.count < wanted; round++) {
      await crash(round, whole, totals, fail)
      if (process.stdout.isTTY) process.stdout.write(`\r${JSON.stringify(totals)}`)
    }
  const result = {
    documents,
    concurrency,
    seed,
    ...(kills.count > 0 && { kills }),
    ...(powerLosses.count > 0 && { power_losses: powerLosses }),
  }
  console.log(`${process.stdout.isTTY ? '\n' : ''}${JSON.stringify(result)}`)
  if (values.json !== undefined) await updateJson(values.json, result)
  const bad = [kills, powerLosses].some(
    ({ torn, lost, moreThanInFlight, different, ledgerOff }) =>
      torn + lost + moreThanInFlight + different + ledgerOff > 0,
  )
  process.exitCode = bad ? 1 : 0
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
  return { ms, tree: await treeIn(join(folder, 'whole')) }
}

/**
 * Lets a run fail, and completes it with a second one.
 * @param fail ends the run; returns the working directory of the second one, and whether the run was cut off
 */
async function crash(round, whole, totals, fail) {
  const simulator = await service()
  const out = `out-${round}`
  try {
    const { cwd, isCutOff } = await fail(out, simulator, whole, totals)
    if (isCutOff) totals.count++
    const { stderr, code } = await run(out, simulator, { cwd }).ended
    if (code !== 0) throw new Error(`the second run ended with ${code}: ${stderr}`)
    totals.recovered += Number(/(\d+) summar\w+ paid for by an interrupted run/.exec(stderr)?.[1] ?? 0)

    const tree = await treeIn(join(cwd, out))
    for (const name of whole.tree.keys()) if (!tree.has(name)) totals.lost++
    for (const [name, text] of tree) if (whole.tree.get(name) !== text) totals.different++
    const twice = [...simulator.stats().prompts.values()].filter((times) => times > 1).length
    totals.paidTwice += twice
    totals.mostPaidTwice = Math.max(totals.mostPaidTwice, twice)
    if (twice > concurrency) totals.moreThanInFlight++
    // The ledger must contain every request except those that the kill cut off.
    const recorded = await requestsInLedger(join(cwd, out), totals)
    const { requests } = simulator.stats()
    if (recorded > requests || requests - recorded !== twice) totals.ledgerOff++
    await rm(join(cwd, out), { recursive: true, force: true })
    if (cwd !== folder) await rm(cwd, { recursive: true, force: true })
  } finally {
    await simulator.close()
  }
}

/** Kills a run at a random moment. */
async function kill(out, simulator, whole, totals) {
  const { child, ended } = run(out, simulator)
  await new Promise((resolve) => setTimeout(resolve, random() * whole.ms))
  child.kill('SIGKILL')
  const { signal } = await ended
  for (const [name, text] of await treeIn(join(folder, out))) if (whole.tree.get(name) !== text) totals.torn++
  return { cwd: folder, isCutOff: signal === 'SIGKILL' }
}

/** Kills a run, and continues in another folder with what a power loss would have left. */
async function losePower(out, simulator, whole) {
  const log = join(folder, `${out}.log`)
  const initial = readTree(folder)
  const disk = JSON.stringify({ root: folder, log })
  const { child, ended } = run(out, simulator, { disk })
  // The recorder slows the run down.
  await new Promise((resolve) => setTimeout(resolve, random() * 2 * whole.ms))
  child.kill('SIGKILL')
  const { signal } = await ended
  const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-power-'))
  const recording = existsSync(log) ? readDiskLog(log, initial) : { initial, events: [] }
  writeTree(replay(recording).afterPowerLoss(random), cwd)
  await rm(log, { force: true })
  await rm(join(folder, out), { recursive: true, force: true })
  return { cwd, isCutOff: signal === 'SIGKILL' }
}

/** @param disk what the recorder of the disk needs; undefined for a run that is not recorded */
function run(out, simulator, { cwd = folder, disk } = {}) {
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
  const env = {
    PATH: process.env.PATH,
    ANTHROPIC_BASE_URL: simulator.url,
    ANTHROPIC_API_KEY: 'bench',
    ...(disk !== undefined && { DISK_LOG: disk, NODE_OPTIONS: `--import=${recorder.href}` }),
  }
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
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
  const names = await readdir(out, { recursive: true }).catch(() => [])
  for (const name of names.filter((name) => name.endsWith('.summary.md') || name.endsWith('.error.txt')))
    tree.set(name, await readFile(join(out, name), 'utf8'))
  return tree
}

async function requestsInLedger(out, totals) {
  const text = await readFile(join(out, '.claude-batch/ledger.jsonl'), 'utf8')
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
