// Runs claude-batch against 40 kinds of faults, while it kills, stops and pauses the processes and their wall
// clock jumps. Checks that nothing is lost, torn or paid twice, and that each ledger agrees with the
// simulator's bill.
//   node bench/soak.js [--minutes 15] [--short] [--seed 1] [--json FILE]
import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createSeededRandom } from '../.build/random.js'
import { startSimulator } from '../.build/simulator.js'
import { bin, machine } from './processes.js'
import { soakFaults, usage } from './soak-faults.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})
const minutes = values.short ? 0.6 : Number(values.minutes)
const random = createSeededRandom(Number(values.seed))
const pick = (list) => list[Math.floor(random() * list.length)]
const lanes = 3
const concurrency = 8
const faultShare = 0.2
const clock = new URL('soak-clock.js', import.meta.url).href
const kinds = {
  live: { documents: 40, args: ['--max-tokens', '1024'] },
  streamed: { documents: 40, args: ['--max-tokens', '4096'] },
  long: { documents: 6, args: ['--chunk-tokens', '1000'] },
  batch: { documents: 40, args: ['--batch'] },
  pipeline: { documents: 20, args: ['--format', 'jsonl'] },
}

const folder = await mkdtemp(join(tmpdir(), 'claude-batch-soak-'))
/** The requests and replies about each set of documents, by its name. */
const sets = new Map()
const totals = Object.fromEntries(
  ['rounds', 'runs', 'documents', 'kills', 'signals', 'pauses', 'rivals', 'clocks', 'requests', 'faults']
    .concat(['whole', 'broken', 'recorded', 'lost_on_the_way', 'cut_off', 'paid_twice'])
    .concat(['lost', 'torn', 'unexplained', 'paid_twice_too_often', 'ledger_off', 'other'])
    .map((name) => [name, 0]),
)
const violations = []
const faultsSeen = new Set()
/** Replies that the simulator must have billed. Excludes `drip`, whose replies the bench sends itself. */
let billedHere = 0

const simulator = await startSimulator({
  limits: { rpm: 1e9, itpm: 1e12, otpm: 1e12 },
  script: ({ request }) => answerTo(request),
  batches: { durationMs: 300, chooseFault: chooseBatchFault },
})
const started = performance.now()
const end = started + minutes * 60_000
try {
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let n = 0; performance.now() < end; n++) await round(`L${lane}x${n}`)
    }),
  )
  const { billed, batchBilled } = simulator.stats()
  if (billed.requests + batchBilled.requests !== billedHere) {
    totals.other++
    violations.push(`the simulator billed ${billed.requests + batchBilled.requests}, expected ${billedHere}`)
  }
  const { rounds, runs, ...counts } = totals
  const result = {
    machine,
    minutes: Math.round((performance.now() - started) / 6000) / 10,
    kinds_of_faults: Object.keys(soakFaults).length,
    kinds_of_faults_met: faultsSeen.size,
    fault_share: faultShare,
    concurrency,
    rounds,
    runs,
    ...counts,
  }
  console.table(Object.fromEntries(Object.entries(result).filter(([, value]) => typeof value === 'number')))
  for (const violation of violations) console.log(violation)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`)
  process.exitCode = violations.length > 0 ? 1 : 0
} finally {
  await simulator.close()
  if (process.env['SOAK_KEEP'] === undefined) await rm(folder, { recursive: true, force: true })
}

function violation(kind, set, message) {
  totals[kind]++
  violations.push(`${kind}: ${set.name} (${set.kind}; ${set.legs.join(', ')}): ${message}`)
}

/** Chooses the reply or fault of a request, live or in a batch, and counts how it is billed. */
function answerTo({ lastText, stream }) {
  const [, name, n] = /Document (L\d+x\d+)-(\d+)/.exec(lastText)
  const set = sets.get(name)
  set.arrived++
  totals.requests++
  const question = hash('sha256', lastText)
  const text = `Document ${name}-${n}: the harbour board decided to dredge the channel, as note ${question.slice(0, 8)} says.`
  const delayMs = 5 + 60 * random()
  const possible = set.faults.filter((name) => soakFaults[name][stream ? 'plain' : 'streamed'] !== true)
  const fault = set.calm || random() >= faultShare ? undefined : pick(possible)
  if (fault !== undefined) {
    totals.faults++
    faultsSeen.add(fault)
    set.met.set(n, (set.met.get(n) ?? new Set()).add(fault))
  }
  const { does, billed, good, lost } = soakFaults[fault] ?? { billed: 'whole', good: true }
  if (billed === 'whole') set.whole++
  if (billed === 'broken') set.broken++
  if (lost) set.lost++
  if (billed !== undefined && fault !== 'drip') billedHere++
  if (good) {
    set.texts.add(text)
    set.good.set(question, (set.good.get(question) ?? 0) + 1)
  }
  return does === undefined ? { kind: 'answer', delayMs, text, usage } : does(text, delayMs)
}

/** Chooses a transient fault of a call to the batch API. */
function chooseBatchFault() {
  return random() >= faultShare
    ? undefined
    : pick([
        { lost: 'before' },
        { lost: 'after' },
        { lateMs: 300 },
        { status: 500 },
        { status: 529 },
        { cutAfter: 3, reset: true },
        { cutAfter: 3, reset: false },
      ])
}

/**
 * Creates a folder of documents, and runs it a few times with faults and once without. Then checks the
 * results.
 */
async function round(name) {
  const kind = pick(Object.keys(kinds))
  const set = {
    name,
    kind,
    legs: [],
    calm: false,
    faults: [],
    arrived: 0,
    whole: 0,
    broken: 0,
    lost: 0,
    cuts: 0,
    texts: new Set(),
    good: new Map(),
    met: new Map(),
  }
  sets.set(name, set)
  await mkdir(join(folder, name, 'docs'), { recursive: true })
  for (let n = 0; n < kinds[kind].documents; n++)
    await writeFile(join(folder, name, `docs/${n}.md`), textOf(kind, `Document ${name}-${n}`, n))
  totals.rounds++
  totals.documents += kinds[kind].documents
  try {
    if (kind === 'pipeline') await pipeline(set)
    else await folderRound(set)
  } catch (error) {
    violation('other', set, String(error))
  }
  sets.delete(name)
  await rm(join(folder, name), { recursive: true, force: true })
}

function textOf(kind, title, n) {
  const paragraph = `${title}: the harbour board met about pier ${n}, and the ferry sails at nine while the master writes it down. `
  const paragraphs = kind === 'long' ? 40 : 1
  return Array.from({ length: paragraphs }, (_, k) => `${paragraph}It was item ${k} of that day.\n`).join(
    '\n',
  )
}

async function folderRound(set) {
  const legs = 2 + Math.floor(random() * 3)
  for (let leg = 0; leg < legs; leg++) {
    set.faults = faultsFor(set.kind)
    await disturbedRun(set)
    await checkFiles(set)
  }
  set.calm = true
  // Failures that would repeat are sent again only with --redo failed, and other documents only without it.
  let args = []
  // Calls to the batch API do not identify their set, so they fail in this run, too.
  for (let left = set.kind === 'batch' ? 12 : 3; left > 0; left--) {
    const { code, stderr } = await start(set, { clock: false, args }).ended
    if (code === 0 && args.length === 0) break
    if (left === 1) violation('other', set, `the run without faults ended with ${code}: ${stderr}`)
    args = code === 1 && args.length === 0 ? ['--redo', 'failed'] : []
  }
  await checkEnd(set)
}

/** Chooses the possible faults of one run; in a quarter of the runs also faults that end it. */
function faultsFor(kind) {
  const ends = random() < 0.25
  return Object.keys(soakFaults).filter((name) => {
    const { ends: isEnd = false, batch = false } = soakFaults[name]
    return (ends || !isEnd) && (kind !== 'batch' || batch)
  })
}

/** Starts a run with faults and disturbs its process. */
async function disturbedRun(set) {
  const action = pick([
    'kill',
    'kill',
    'kill',
    'interrupt',
    'terminate',
    'abort',
    'pause',
    'rivals',
    'nothing',
  ])
  set.legs.push(action)
  const run = start(set)
  // Mostly after the start of Node.
  await Promise.race([delay(200 + random() * 3500), run.ended])
  const send = (signal) => run.child.kill(signal)
  if (action === 'kill') send('SIGKILL')
  if (action === 'interrupt' || action === 'abort') send('SIGINT')
  if (action === 'terminate') send('SIGTERM')
  if (action === 'abort') {
    // claude-batch ignores a second signal within 500 ms.
    await Promise.race([delay(600), run.ended])
    send('SIGINT')
  }
  if (action === 'pause') {
    send('SIGSTOP')
    await delay(200 + random() * 3000)
    send('SIGCONT')
    totals.pauses++
  }
  if (action === 'rivals') {
    totals.rivals += 2
    const rivals = [start(set, { args: [] }), start(set, { args: ['--lock-timeout', '60'] })]
    await delay(random() * 1500)
    send('SIGKILL')
    for (const rival of rivals) checkExit(set, await rival.ended)
  }
  if (['interrupt', 'terminate', 'abort'].includes(action)) totals.signals++
  const ended = await run.ended
  if (ended.signal === 'SIGKILL') totals.kills++
  // Requests in flight were cut off.
  if (ended.signal === 'SIGKILL' || action === 'abort') set.cuts++
  checkExit(set, ended)
}

function checkExit(set, { code, signal, stderr }) {
  const isExpected = [0, 1, 4, 7, 75].includes(code) || ['SIGKILL', 'SIGINT', 'SIGTERM'].includes(signal)
  if (!isExpected || /\n\s+at /.test(stderr))
    violation('other', set, `ended with ${code ?? signal}: ${stderr}`)
}

/** Checks after each run that no file is torn and that each error record is explained by a fault. */
async function checkFiles(set) {
  for (const [name, text] of await treeIn(set)) {
    const n = /docs\/(\d+)\.md/.exec(name)[1]
    if (name.endsWith('.summary.md')) {
      if (!isGiven(set, n, text)) violation('torn', set, `${name}: ${JSON.stringify(text)}`)
    } else if (!explains(set, n, text)) {
      const met = [...(set.met.get(n) ?? [])]
      violation('unexplained', set, `${name}: ${text} after ${met.join(', ')}`)
    }
  }
}

/** Whether a text is one of the replies about a document. */
function isGiven(set, n, text) {
  return set.texts.has(text.trim()) && text.startsWith(`Document ${set.name}-${n}: `)
}

/**
 * Whether a fault explains an error record. Retries mix several transient faults, so any of those explains
 * it.
 */
function explains(set, n, record) {
  return [...(set.met.get(n) ?? [])].some((name) => {
    const { record: pattern, good = false } = soakFaults[name]
    return !good && (pattern === undefined || pattern.test(record))
  })
}

async function checkEnd(set) {
  const tree = await treeIn(set)
  for (let n = 0; n < kinds[set.kind].documents; n++) {
    const text = tree.get(`docs/${n}.md.summary.md`)
    if (text === undefined) violation('lost', set, `document ${n} has no summary`)
    else if (!isGiven(set, String(n), text)) violation('torn', set, `${n}: ${JSON.stringify(text)}`)
    if (tree.has(`docs/${n}.md.error.txt`)) violation('unexplained', set, `document ${n} has a record left`)
  }
  const out = join(folder, set.name, 'out')
  const left = await readdir(out, { recursive: true })
  for (const name of left.filter((name) => name.endsWith('.tmp') || name.endsWith('/lock'))) {
    // An empty file does not name its owner, so claude-batch cannot remove it safely.
    if ((await stat(join(out, name))).size > 0) violation('other', set, `${name} is left behind`)
  }
  await checkLedger(set)
}

/**
 * Checks that the ledger has each complete reply exactly once, with its usage or as a reply of unknown cost.
 * Two kinds of replies may be missing. The ledger counts replies as lost if the program was stopped or the
 * machine was busy. And a kill may cut off replies in flight: one per permit, or in batch mode only the
 * canary request. No more replies than these may be paid twice.
 */
async function checkLedger(set) {
  const { answers, lost, costOff } = await ledgerOf(set)
  const mayMiss = Math.max(0, lost - set.lost) + (set.kind === 'batch' ? 1 : concurrency) * set.cuts
  const missing = set.whole - answers
  if (missing < 0) violation('ledger_off', set, `${answers} answers recorded, ${set.whole} billed`)
  if (missing > mayMiss)
    violation('ledger_off', set, `${missing} answers missing, at most ${mayMiss} may; ${set.cuts} kills`)
  if (costOff > 1e-9) violation('ledger_off', set, `costs differ by $${costOff}`)
  const twice = [...set.good.values()].reduce((sum, times) => sum + times - 1, 0)
  if (twice > mayMiss)
    violation('paid_twice_too_often', set, `${twice} answers paid twice, at most ${mayMiss} may be`)
  totals.whole += set.whole
  totals.broken += set.broken
  totals.recorded += answers
  totals.lost_on_the_way += lost
  totals.cut_off += Math.max(0, missing)
  totals.paid_twice += twice
}

async function ledgerOf(set) {
  const text = await readFile(join(folder, set.name, 'out/.claude-batch/ledger.jsonl'), 'utf8')
  let [answers, lost, costOff] = [0, 0, 0]
  for (const line of text.trimEnd().split('\n')) {
    let entry
    try {
      entry = JSON.parse(line)
    } catch {
      // A kill can cut off a write to the ledger; the journal has the whole entry.
      continue
    }
    if (entry.attempts === undefined) continue
    const counted = (entry.usage?.input_tokens ?? 0) / usage.input_tokens
    answers += counted + (entry.replies_with_unknown_cost ?? 0)
    lost += entry.lost_replies ?? 0
    // USD 1 and 5 per million tokens, half in a batch. A document from a batch may have been a canary request
    // before.
    const full = (counted * (usage.input_tokens + 5 * usage.output_tokens)) / 1e6
    const cost = entry.cost_usd ?? 0
    const least = entry.batch_id === undefined ? full : full / 2
    costOff = Math.max(costOff, least - cost, cost - full)
  }
  return { answers, lost, costOff }
}

/**
 * Runs with stdout as the output, which keeps no state. Checks that each line is complete and has a reply or
 * the reason for its absence.
 */
async function pipeline(set) {
  set.faults = faultsFor('live')
  const action = pick(['nothing', 'nothing', 'kill', 'hang up'])
  set.legs.push(action)
  const run = start(set, { out: '-' })
  if (action === 'kill') {
    await Promise.race([delay(200 + random() * 2500), run.ended])
    run.child.kill('SIGKILL')
  }
  if (action === 'hang up') run.child.stdout.once('data', () => run.child.stdout.destroy())
  const ended = await run.ended
  if (ended.signal === 'SIGKILL') totals.kills++
  if (!(action === 'hang up' && [141, null].includes(ended.code))) checkExit(set, ended)
  const lines = ended.stdout.split('\n')
  const last = lines.pop()
  if (last !== '' && action === 'nothing') violation('torn', set, `the last line is ${JSON.stringify(last)}`)
  const seen = new Set()
  for (const line of lines) {
    const { path, summary, error, status, reason } = JSON.parse(line)
    const n = /(\d+)\.md/.exec(path)[1]
    if (seen.has(n)) violation('other', set, `${path} occurs twice`)
    seen.add(n)
    if (summary != null && !isGiven(set, n, summary)) violation('torn', set, line)
    const isExplained = error != null || (status === 'pending' && reason != null)
    if (summary == null && !isExplained) violation('unexplained', set, line)
  }
  if (action === 'nothing' && [0, 1].includes(ended.code) && seen.size < kinds.pipeline.documents)
    violation('lost', set, `${seen.size} lines, exit ${ended.code}`)
}

/**
 * Whether the wall clock of a run may jump. Batch recovery searches for a batch by its creation time, within
 * three days. The short run for CI does not test that limit.
 */
function mayJump({ kind }) {
  return !(values.short && kind === 'batch')
}

function start(set, { out = 'out', args = [], clock: jumps = mayJump(set) && random() < 0.5 } = {}) {
  totals.runs++
  if (jumps) totals.clocks++
  const all = [
    ...(jumps ? ['--import', clock] : []),
    ...[bin, 'summarize', 'docs', '-o', out, '--progress', 'off', '--yes', '--idle-timeout', '2'],
    ...['--concurrency', String(concurrency), '--max-wait', '60', '--prices', 'claude-haiku-5-5=1/5'],
    ...kinds[set.kind].args,
    ...args,
  ]
  const env = { PATH: process.env.PATH, ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'bench' }
  const child = spawn(process.execPath, all, {
    cwd: join(folder, set.name),
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  )
  return { child, ended }
}

async function treeIn(set) {
  const out = join(folder, set.name, 'out')
  const tree = new Map()
  const names = await readdir(out, { recursive: true }).catch(() => [])
  for (const name of names.filter((name) => /^docs\/.*\.(summary\.md|error\.txt)$/.test(name)))
    tree.set(name, await readFile(join(out, name), 'utf8'))
  return tree
}
