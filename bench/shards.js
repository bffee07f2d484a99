// Measures how several processes that start in the same second share one rate limit: 429s, run time relative to the best
// possible, and how unequal they are.
//   node bench/shards.js [--without] [--json FILE]     (--without: the processes do not know of each other)
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startSimulator } from '../.build/simulator.js'
import { machine, updateJson } from './processes.js'

const { values } = parseArgs({
  options: { without: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' } },
})

/** The API's limit has room for one second's worth of requests. */
const limits = { rpm: 1200, itpm: 1e9, otpm: 1e9, burst: 1 / 60 }
const latencyMs = 500
const documents = 800
/** Two of 16 tasks are killed after some seconds, and started again. */
const scenarios = values.only
  ? [{ processes: Number(values.only) }]
  : [{ processes: 1 }, { processes: 2 }, { processes: 4 }, { processes: 8 }, { processes: 16, kills: 2 }]

const rows = []
for (const scenario of scenarios) {
  const row = await measure(scenario)
  rows.push(row)
  const { processes, seconds, best, requests, limited, lost, doubled, unequal } = row
  console.log(
    `${processes} processes  ${seconds.toFixed(1)} s  ${(seconds / best).toFixed(3)} × best  ${limited} of ${requests} 429s  ${lost} lost  ${doubled} paid twice  ${unequal.toFixed(2)} : 1`,
  )
}
if (values.json !== undefined)
  await updateJson(values.json, { machine, knowEachOther: !values.without, rows })
process.exitCode = rows.some(({ lost, limited, requests }) => lost > 0 || limited > requests * 0.02) ? 1 : 0

async function measure({ processes, kills = 0 }) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-shards-'))
  const texts = new Map()
  /** When each reply was sent, by shard: milliseconds. */
  const replies = Array.from({ length: processes }, () => [])
  await mkdir(join(folder, 'docs'))
  for (let n = 0; n < documents; n++)
    await writeFile(join(folder, `docs/${n}.md`), `Note ${n} on the harbour.`)
  let start
  const simulator = await startSimulator({
    limits,
    script({ request }) {
      start ??= performance.now()
      const [note = ''] = /Note \d+ on/.exec(request.text) ?? []
      texts.set(note, (texts.get(note) ?? 0) + 1)
      return { kind: 'answer', delayMs: latencyMs * (0.6 + 0.8 * Math.random()) }
    },
  })
  const env = { PATH: process.env.PATH, ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: 'bench' }
  const startTask = (task) => {
    const selection = ['--shard', `${task + 1}/${processes}`]
    // Without `--shard`, the process does not know of the others, so it gets its documents as a list.
    const inputs = values.without
      ? ['--files-from', join(folder, `list${task}`)]
      : [join(folder, 'docs'), ...selection]
    const args = ['bin/claude-batch.js', 'summarize', ...inputs, '-o', join(folder, `out${task}`), '-q']
    const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
    return { child, ended: new Promise((resolve) => child.on('close', resolve)) }
  }
  if (values.without)
    for (let task = 0; task < processes; task++) {
      const names = Array.from({ length: documents }, (_, n) => n).filter((n) => n % processes === task)
      await writeFile(join(folder, `list${task}`), names.map((n) => join(folder, `docs/${n}.md`)).join('\n'))
    }
  const tasks = replies.map((_, task) => startTask(task))
  const countSummaries = async (task) =>
    (await readdir(join(folder, `out${task}`), { recursive: true }).catch(() => [])).filter((name) =>
      name.endsWith('.summary.md'),
    ).length
  for (let task = 0; task < kills; task++) {
    while ((await countSummaries(task)) < 5) await new Promise((resolve) => setTimeout(resolve, 50))
    tasks[task].child.kill('SIGKILL')
    await tasks[task].ended
    tasks[task] = startTask(task)
  }
  // Half of the documents are done: the shares of the processes show how equal they are.
  let shares
  const sums = async () => Promise.all(replies.map((_, task) => countSummaries(task)))
  while (shares === undefined) {
    const now = await sums()
    if (now.reduce((sum, count) => sum + count, 0) >= documents / 2) shares = now
    else await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await Promise.all(tasks.map(({ ended }) => ended))
  const seconds = (performance.now() - start) / 1000
  const { byStatus, requests } = simulator.stats()
  const done = (await sums()).reduce((sum, count) => sum + count, 0)
  await simulator.close()
  await rm(folder, { recursive: true })
  return {
    processes,
    kills,
    seconds,
    best: (documents - limits.rpm * limits.burst) / (limits.rpm / 60) + latencyMs / 1000,
    requests,
    limited: byStatus.get(429) ?? 0,
    lost: documents - done,
    doubled: [...texts.values()].filter((count) => count > 1).length,
    unequal: Math.max(...shares) / Math.max(1, Math.min(...shares)),
  }
}
