// Tests message batches with kills at random moments and, with --large, measures large sets of documents.
//   node bench/batch.js [--kills 100] [--large] [--seed 1] [--json FILE]
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
    kills: { type: 'string', default: '100' },
    large: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})
const bin = fileURLToPath(new URL('../bin/claude-batch.js', import.meta.url))
const random = createSeededRandom(Number(values.seed))
const limits = { rpm: 1e9, itpm: 1e12, otpm: 1e12 }
const folder = await mkdtemp(join(tmpdir(), 'claude-batch-batch-'))
try {
  const result = { kills: await killed(Number(values.kills)) }
  if (values.large)
    result.large = [
      await large('100,000 small documents', { files: 100_000, bytes: 600 }),
      await large('300 MB', { files: 600, bytes: 500_000 }),
    ]
  console.log(JSON.stringify(result, null, 2))
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`)
  const { lost, paidTwice, ledgerOff } = result.kills
  process.exitCode = lost + paidTwice + ledgerOff > 0 ? 1 : 0
} finally {
  await rm(folder, { recursive: true, force: true })
}

/**
 * Starts runs that submit, wait and collect. Kills each once or twice, completes it, and checks the results.
 */
async function killed(wanted) {
  const totals = { kills: 0, rounds: 0, lost: 0, paidTwice: 0, ledgerOff: 0, batches: 0, during: {} }
  const documents = 1000
  await mkdir(join(folder, 'docs'))
  for (let n = 0; n < documents; n++)
    await writeFile(
      join(folder, `docs/${n}.md`),
      `# Note ${n}\n\nThe ferry number ${n} sails at nine, and the harbour master writes it down.\n`,
    )
  while (totals.kills < wanted) {
    totals.rounds++
    const out = `out-${totals.rounds}`
    const simulator = await startSimulator({
      limits,
      latency: { medianMs: 20 },
      batches: { durationMs: 300, chooseFault: (call) => (call === 'create' ? { lateMs: 300 } : undefined) },
      seed: totals.rounds,
    })
    try {
      for (let times = 0; times < 2; times++) {
        const { child, ended } = run(['docs', '-o', out, '--batch'], simulator.url)
        // Kills before the batch is created or during its collection. In between, the run only waits.
        const ms = random() < 0.6 ? 200 + random() * 1000 : 2200 + random() * 1200
        await new Promise((resolve) => setTimeout(resolve, ms))
        child.kill('SIGKILL')
        if ((await ended).signal !== 'SIGKILL') continue
        totals.kills++
        const during = await stageOf(out)
        totals.during[during] = (totals.during[during] ?? 0) + 1
      }
      const last = await run(['docs', '-o', out, '--batch'], simulator.url).ended
      if (last.code !== 0) throw new Error(`the last run ended with ${last.code}: ${last.stderr}`)
      const written = await readdir(join(folder, out, 'docs'))
      totals.lost += documents - written.filter((name) => name.endsWith('.summary.md')).length
      const { billedPrompts, batches, batchBilled, billed } = simulator.stats()
      // A kill may cut off the canary request, which is live; all other requests are in batches.
      const twice = [...billedPrompts.values()].reduce((sum, times) => sum + times - 1, 0)
      totals.paidTwice += Math.max(0, twice - Math.max(0, billed.requests - 1))
      totals.batches += batches.created
      const recorded = await inLedger(out)
      if (recorded !== batchBilled.requests) totals.ledgerOff++
    } finally {
      await simulator.close()
      await rm(join(folder, out), { recursive: true, force: true })
    }
  }
  await rm(join(folder, 'docs'), { recursive: true })
  return { documents, ...totals }
}

/** Returns the stage at which a run was killed, according to its files. */
async function stageOf(out) {
  const batchFolder = join(folder, out, '.claude-batch/batches')
  const names = await readdir(batchFolder).catch(() => [])
  const file = names.find((name) => name.endsWith('.jsonl'))
  if (file === undefined) return 'before or after'
  const text = await readFile(join(batchFolder, file), 'utf8')
  if (!text.includes('"type":"sealed"')) return 'packing'
  if (!text.includes('"type":"created"')) return 'submitting'
  const done = await readdir(join(folder, out, 'docs')).catch(() => [])
  return done.length > 1 ? 'collecting' : 'waiting'
}

async function inLedger(out) {
  const text = await readFile(join(folder, out, '.claude-batch/ledger.jsonl'), 'utf8')
  return text.split('\n').filter((line) => line.includes('"batch_id":"msgbatch')).length
}

/** Measures a very large set: one process submits it, another one collects it. */
async function large(name, { files, bytes }) {
  const text = 'The ferry sails at nine, and the harbour master writes down who came late and why. '
  await mkdir(join(folder, 'large'))
  for (let n = 0; n < files; n++) {
    const part = join(folder, 'large', String(n % 100))
    if (n < 100) await mkdir(part)
    await writeFile(join(part, `${n}.md`), `# Note ${n}\n\n${text.repeat(Math.ceil(bytes / text.length))}`)
  }
  const simulator = await service()
  try {
    const submitted = await timed(['large', '-o', 'out', '--batch', '--detach', '--yes'], simulator.url)
    const collected = await timed(['large', '-o', 'out', '--batch', '--yes'], simulator.url)
    return {
      name,
      files,
      megabytes: Math.round((files * bytes) / 1e6),
      batches: (submitted.stderr.match(/batch \S+ created: /g) ?? []).length,
      submit: { ms_per_document: submitted.ms / files, peak_mb: submitted.peakMb },
      collect: { ms_per_document: collected.ms / files, peak_mb: collected.peakMb },
    }
  } finally {
    await simulator.close()
    for (const part of ['large', 'out']) await rm(join(folder, part), { recursive: true, force: true })
  }
}

/** Starts the simulator in a separate process, because it holds hundreds of megabytes. */
async function service() {
  const args = [bin, 'simulate', '--port', '0', '--latency', '0.01']
  for (const limit of ['--rpm', '--itpm', '--otpm']) args.push(limit, '1000000000')
  const child = spawn(process.execPath, [...args, '--batch-duration', '1'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const url = await new Promise((resolve) =>
    child.stdout.once('data', (chunk) => resolve(String(chunk).trim())),
  )
  const gone = new Promise((resolve) => child.on('close', resolve))
  return {
    url,
    close: async () => {
      child.kill('SIGTERM')
      await gone
    },
  }
}

async function timed(args, url) {
  const start = performance.now()
  const { child, ended } = run(args, url)
  let peakMb = 0
  const look = async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
    peakMb = Math.max(peakMb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1000)
  }
  const timer = setInterval(() => void look(), 100)
  const { code, stderr } = await ended
  clearInterval(timer)
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`)
  return { ms: performance.now() - start, peakMb: Math.round(peakMb), stderr }
}

function run(args, url) {
  const env = { PATH: process.env.PATH, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'bench' }
  const child = spawn(process.execPath, [bin, 'summarize', ...args, '--progress', 'off'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stderr })),
  )
  return { child, ended }
}
