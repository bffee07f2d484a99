// Measures run time relative to the best possible, 429s and lost documents. Compares claude-batch with a
// plain script (the official SDK with its built-in retries and p-limit) against the same simulator.
//   node bench/rate-limits.js [--only part-of-a-name] [--short] [--ours] [--json FILE]
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createSeededRandom, sampleLogNormal } from '../.build/random.js'
import { startSimulator } from '../.build/simulator.js'
import { scenarios } from './rate-limits-scenarios.js'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    short: { type: 'boolean' },
    ours: { type: 'boolean' },
    json: { type: 'string' },
  },
})
const chosen = scenarios(values.short === true).filter(({ name }) => name.includes(values.only))
const rows = []
const promptLength = 'Summarize this document in one paragraph:\n\n'.length

for (const scenario of chosen) {
  const documents = documentsOf(scenario)
  // The delimiters around the document count as input tokens.
  const runs = [['claude-batch', ours(scenario), 57]]
  if (!values.ours) for (const pool of scenario.peerPools) runs.push([`SDK, p-limit ${pool}`, peer(pool), 0])
  for (const [tool, command, delimiterLength] of runs) {
    const best = bestPossible(scenario, documents, promptLength + delimiterLength)
    const row = { scenario: scenario.name, tool, best, ...(await run(scenario, documents, command)) }
    rows.push(row)
    const { seconds, requests, limited, lost } = row
    const cells = [
      scenario.name,
      tool,
      seconds.toFixed(1),
      `${(seconds / best).toFixed(3)} × best`,
      `${limited} of ${requests}`,
      `${lost} lost`,
    ]
    console.log(cells.map((cell, n) => cell.padEnd([34, 18, 6, 13, 12, 8][n])).join(' '))
  }
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`)
const bad = rows.filter(({ tool, scenario, seconds, best, limited, requests, lost }) => {
  const { bounds } = chosen.find(({ name }) => name === scenario)
  // In a short run, start-up dominates, and CI machines are noisy.
  const slack = values.short ? 1.25 : 1
  return (
    tool === 'claude-batch' &&
    (lost > 0 ||
      seconds > best * bounds.time * slack ||
      limited > Math.max(2, requests * bounds.limited * slack))
  )
})
for (const { scenario } of bad) console.log(`out of bounds: ${scenario}`)
process.exitCode = bad.length > 0 ? 1 : 0

/** Returns texts with the given number of tokens each, at 2.5 characters per token like in the simulator. */
function documentsOf({ count, tokens, sigma = 0, giants = 0, seed = 5 }) {
  const random = createSeededRandom(seed)
  return Array.from({ length: count }, (_, n) => {
    const size = n < giants ? tokens * 60 : Math.max(20, sampleLogNormal(random, tokens, sigma))
    const sentence = `Sentence of document ${n} about the harbour and its water. `
    return sentence.repeat(Math.ceil((size * 2.5) / sentence.length)).slice(0, Math.ceil(size * 2.5))
  })
}

/**
 * Returns the shortest possible run time in seconds: (work − burst) / rate + one latency, for the most
 * restrictive limit. It is computed from the scenario, not from a run.
 */
function bestPossible({ limits, latencyMs, outage = 0, other, output = 80, flagRpm }, documents, overhead) {
  const burst = limits.burst ?? 1
  const work = {
    rpm: documents.length,
    itpm: documents.reduce((sum, text) => sum + Math.ceil((text.length + overhead) / 2.5) + 8, 0),
    otpm: documents.length * output,
  }
  const seconds = Object.entries(work).map(([name, amount]) => {
    const perMinute = name === 'rpm' && flagRpm !== undefined ? Math.min(flagRpm, limits.rpm) : limits[name]
    if (perMinute === undefined) return 0
    const free = Math.max(1, perMinute * burst)
    const alone = ((amount - Math.min(free, amount)) / perMinute) * 60
    if (other === undefined) return alone
    // From `fromSeconds` on, another client takes its share of the rate.
    const before = other.fromSeconds - outage
    return alone <= before ? alone : before + (alone - before) / (1 - other.share)
  })
  return Math.max(...seconds) + latencyMs / 1000 + outage
}

function ours({ flags = [] }) {
  return (url, docs, out) => [
    ['bin/claude-batch.js', 'summarize', docs, '-o', out, '-q', '--prompt', 'bench/prompt.yaml', ...flags],
    { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'bench' },
  ]
}

function peer(pool) {
  return (url, docs, out) => [
    ['bench/rate-limits-peer.js', docs, out, String(pool)],
    { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'bench' },
  ]
}

async function run(scenario, documents, command) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-rate-limits-'))
  const [docs, out] = [join(folder, 'docs'), join(folder, 'out')]
  await mkdir(docs)
  await mkdir(out)
  await Promise.all(
    documents.map((text, n) => writeFile(join(docs, `${String(n).padStart(5, '0')}.md`), text)),
  )
  const service = scenario.service()
  const simulator = await startSimulator({
    limits: scenario.limits,
    rateLimitHeaders: scenario.headers !== false,
    script: service.script,
  })
  const [args, env] = command(simulator.url, docs, out)
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const stopOther =
    scenario.other === undefined ? () => ({ requests: 0, limited: 0 }) : otherClient(simulator, scenario)
  await new Promise((resolve) => child.on('close', resolve))
  const theirs = stopOther()
  const { byStatus, requests } = simulator.stats()
  // The time from the first request to the end of the last reply; bench/start.js measures start-up.
  const seconds = service.lastAnswer() / 1000
  const lost =
    documents.length -
    (await readdir(out, { recursive: true })).filter((name) => name.endsWith('.summary.md')).length
  const limited = (byStatus.get(429) ?? 0) - theirs.limited
  await simulator.close()
  await rm(folder, { recursive: true })
  if (lost > 0 && values.ours) console.log(stderr.slice(0, 600))
  return { seconds, requests: requests - theirs.requests, limited, lost }
}

/** Simulates another program on the same account: sends at a constant rate and ignores 429s. */
function otherClient(simulator, { other, limits }) {
  let [requests, limited] = [0, 0]
  const body = JSON.stringify({
    model: 'claude-haiku-5-5',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'other client' }],
  })
  const headers = { 'content-type': 'application/json', authorization: 'Bearer other' }
  const send = async () => {
    requests++
    const response = await fetch(`${simulator.url}/v1/messages`, { method: 'POST', headers, body })
    if (response.status === 429) limited++
    await response.text()
  }
  let timer
  const begin = setTimeout(() => {
    // The last requests may fail, because the simulator is closed already.
    timer = setInterval(() => void send().catch(() => {}), 60_000 / (limits.rpm * other.share))
  }, other.fromSeconds * 1000)
  return () => {
    clearTimeout(begin)
    clearInterval(timer)
    return { requests, limited }
  }
}
