// Summarizes documents in a Slurm array of 16 tasks that share one rate limit. Kills random tasks, merges, submits the
// tasks again that `merge` names, and merges again. Checks that each document has one summary, and that only requests
// in flight at a kill were sent twice.
//   node bench/slurm-array.js [--documents 100000] [--rpm 6000] [--kills 12] [--seed 1] [--json FILE]
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { createSeededRandom } from '../.build/random.js'
import { startSimulator } from '../.build/simulator.js'
import { daemonPath, listMissing, slurmPrograms, startSlurm } from '../.build/slurm.js'
import { bin, machine, measureNode, updateJson } from './processes.js'

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '100000' },
    rpm: { type: 'string', default: '6000' },
    kills: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})
const missing = listMissing(slurmPrograms)
if (missing.length > 0) {
  console.log(`skipped: it needs ${missing.join(', ')}`)
  process.exit(0)
}
const [documents, rpm, kills, seed] = [values.documents, values.rpm, values.kills, values.seed].map(Number)
const random = createSeededRandom(seed)
/** The API's limit has room for one second's worth of requests. */
const limits = { rpm, itpm: 1e9, otpm: 1e9, burst: 1 / 60 }
const latencyMs = 500
/** How long a reply may take from the simulator to the ledger of a task on a busy machine, in milliseconds. */
const lagMs = 1000
const killers = ['SIGKILL', 'scancel', 'requeue', 'SIGKILL']
const tasks = Array.from({ length: 16 }, (_, task) => task)

const folder = await mkdtemp(join(tmpdir(), 'bench-slurm-array-'))
await mkdir(join(folder, 'slurm'))
const slurm = await startSlurm(join(folder, 'slurm'), tasks.length)
/** For the number of each document, when its requests were admitted and when their replies were due: milliseconds. */
const admitted = new Map()
/** When the first request of a submission was admitted, and when its last reply is due; undefined before. */
let span
const simulator = await startSimulator({
  limits,
  script({ request }) {
    const [, n] = /Note (\d+) on/.exec(request.text)
    const at = performance.now()
    const delayMs = latencyMs * (0.6 + 0.8 * random())
    admitted.set(n, [...(admitted.get(n) ?? []), { at, due: at + delayMs }])
    span = { at: span?.at ?? at, due: Math.max(span?.due ?? 0, at + delayMs) }
    return { kind: 'answer', delayMs }
  },
})
const service = { ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'bench' }
const env = { PATH: daemonPath, HOME: folder, ...slurm.env, ...service }
try {
  await writeDocuments()
  const result = await measure()
  console.log(JSON.stringify(result, null, 2))
  if (values.json !== undefined) await updateJson(values.json, { slurmArray: { machine, ...result } })
  const { lost, doubledBeyondFlight, sentAfterMerge } = result
  process.exitCode = lost + doubledBeyondFlight + sentAfterMerge > 0 ? 1 : 0
} finally {
  await simulator.close()
  await slurm.close()
  await rm(folder, { recursive: true, force: true })
}

async function writeDocuments() {
  for (let n = 0; n < documents; n++) {
    const part = join(folder, `docs/${Math.floor(n / 1000)}`)
    if (n % 1000 === 0) await mkdir(part, { recursive: true })
    await writeFile(join(part, `${n}.md`), `Note ${n} on the harbour.`)
  }
  const command = `'${process.execPath}' '${bin}' summarize docs --shard auto -o "out$SLURM_ARRAY_TASK_ID" --quiet --yes`
  await writeFile(
    join(folder, 'job.sh'),
    `#!/bin/sh\necho $$ > "pids/$SLURM_ARRAY_TASK_ID"\nexec ${command}\n`,
  )
}

async function measure() {
  // The numbers of sent documents after which a task is killed. The end is left out, because few tasks are left then.
  const plan = Array.from({ length: kills }, () => documents * (0.01 + 0.9 * random())).sort((a, b) => a - b)
  const [killed, submissions, merges] = [[], [], []]
  for (let toSubmit = tasks; toSubmit.length > 0; ) {
    if (submissions.length > kills) throw new Error(`still incomplete: ${toSubmit}`)
    submissions.push(await submit(toSubmit, plan, killed))
    const merged = await runTool('merge', ...tasks.map((task) => `out${task}`), '-o', 'all', '-q')
    merges.push({ seconds: merged.ms / 1000, peakMb: merged.peakMb })
    toSubmit = tasks.filter((task) => new RegExp(`^claude-batch: out${task}[: ]`, 'm').test(merged.stderr))
    if (merged.code !== (toSubmit.length > 0 ? 1 : 0))
      throw new Error(`merge: ${merged.code} ${merged.stderr}`)
  }
  const { requests } = simulator.stats()
  const after = await runTool('summarize', 'docs', '-o', 'all', '-q', '--yes')
  if (after.code !== 0) throw new Error(`summarize in the merged folder: ${after.code} ${after.stderr}`)

  const doubled = [...admitted].filter(([, times]) => times.length > 1)
  const isBeyondFlight = ([n, times]) =>
    times.slice(0, -1).some((request) => !killed.some((kill) => wasInFlight(n, request, kill)))
  const { byStatus, aborted, requests: requestsAfterMerge } = simulator.stats()
  return {
    documents,
    rpm,
    seconds: submissions.reduce((sum, { seconds }) => sum + seconds, 0),
    best: (documents - rpm / 60) / (rpm / 60) + latencyMs / 1000,
    requests,
    limited: byStatus.get(429) ?? 0,
    kills: killed.map(({ how, task }) => `${how} ${task}`),
    submitted: submissions.map(({ submitted }) => submitted),
    lost: documents - (await countSummaries()),
    cutOff: aborted,
    doubled: doubled.length,
    doubledBeyondFlight: doubled.filter(isBeyondFlight).length,
    sentAfterMerge: requestsAfterMerge - requests,
    firstRequestSeconds: submissions[0].firstRequestSeconds,
    task: {
      peakMb: Math.max(...submissions.map(({ peakMb }) => peakMb)),
      cpuMsPerDocument: submissions.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / documents,
    },
    merges,
    afterMerge: { seconds: after.ms / 1000, peakMb: after.peakMb },
  }
}

/** Submits tasks and waits until they end. Kills a random one of them each time that the plan says so. */
async function submit(toSubmit, plan, killed) {
  await rm(join(folder, 'pids'), { recursive: true, force: true })
  await mkdir(join(folder, 'pids'))
  span = undefined
  const submitted = toSubmit.join(',')
  const job = await run('sbatch', '--parsable', `--array=${submitted}`, 'job.sh')
  const usage = new Map()
  let startedAt
  for (;;) {
    const states = await run('squeue', '-h', '-r', '-j', job, '-o', '%K %r')
    if (states === '') break
    // Slurm would start a requeued task after two minutes.
    for (const [, task] of states.matchAll(/^(\d+) BeginTime/gm))
      await run('scontrol', 'update', `JobId=${job}_${task}`, 'StartTime=now')
    const running = []
    for (const task of toSubmit) {
      const pid = Number(await readFile(join(folder, `pids/${task}`), 'utf8').catch(() => ''))
      const sample = pid > 0 && (await sampleProcess(pid))
      if (!sample) continue
      startedAt ??= performance.now()
      usage.set(pid, sample)
      // A task that has not recorded its shard cannot find it alone when it is submitted again.
      if (existsSync(join(folder, `out${task}/.claude-batch/shard.json`))) running.push({ task, pid })
    }
    if (running.length > 0 && admitted.size >= plan[0]) {
      plan.shift()
      const victim = running[Math.floor(random() * running.length)]
      const kill = await killTask(killers[killed.length % killers.length], `${job}_${victim.task}`, victim)
      if (kill !== undefined) {
        killed.push(kill)
        console.error(`after ${admitted.size} documents: ${kill.how} of task ${kill.task}`)
      }
    }
    await delay(500)
  }
  const samples = [...usage.values()]
  return {
    submitted,
    seconds: span === undefined ? 0 : (span.due - span.at) / 1000,
    firstRequestSeconds: span && (span.at - startedAt) / 1000,
    peakMb: Math.max(...samples.map(({ peakMb }) => peakMb)),
    cpuMs: samples.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
  }
}

/** Kills a task and waits until it is gone. @returns undefined if it ended first */
async function killTask(how, job, { task, pid }) {
  const from = performance.now()
  try {
    if (how === 'SIGKILL') process.kill(pid, 'SIGKILL')
    else if (how === 'scancel') await run('scancel', '--full', '--signal=KILL', job)
    else await run('scontrol', 'requeue', job)
  } catch {
    return undefined
  }
  while (await sampleProcess(pid)) await delay(20)
  return { how, task, from, to: performance.now() }
}

/**
 * Returns whether a request for a document was in flight when its task was killed. A requeued task gets SIGTERM, so it
 * waits for its replies.
 */
function wasInFlight(n, { at, due }, { how, task, from, to }) {
  const summary = `out${task}/docs/${Math.floor(n / 1000)}/${n}.md.summary.md`
  return how !== 'requeue' && at <= to && from <= due + lagMs && existsSync(join(folder, summary))
}

/** @returns peak memory in MB and CPU in ms so far; undefined if there is no such process */
async function sampleProcess(pid) {
  const read = (name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')
  const [peakKb] = /(?<=VmHWM:\s+)\d+/.exec(await read('status')) ?? []
  if (peakKb === undefined) return undefined
  // utime and stime of proc_pid_stat(5), in ticks of 10 ms.
  const [user, system] = (await read('stat')).replace(/.*\) /s, '').split(' ').slice(11, 13).map(Number)
  return { peakMb: Math.round(peakKb / 1000), cpuMs: (user + system) * 10 }
}

async function countSummaries() {
  const names = await readdir(join(folder, 'all'), { recursive: true })
  return names.filter((name) => name.endsWith('.summary.md')).length
}

function runTool(...args) {
  return measureNode([bin, ...args], { cwd: folder, env })
}

/** Runs a command. @returns its stdout @throws Error if it fails */
async function run(command, ...args) {
  const { stdout } = await promisify(execFile)(command, args, { cwd: folder, env })
  return stdout.trim()
}
