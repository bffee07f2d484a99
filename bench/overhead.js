// Measures user and system CPU per document with a server that answers immediately: claude-batch with a log and an
// output folder, the official SDK in a plain loop, and bare requests.
//   node bench/overhead.js [--documents 5000] [--runs 3] [--json FILE] [--check]
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { finish, finishOptions } from './check.js'
import { bin, machine, spread, timed, zeroServer } from './processes.js'

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '5000' },
    runs: { type: 'string', default: '3' },
    ...finishOptions,
  },
})
const documents = Number(values.documents)
const pool = '16'
const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-overhead-'))
const server = await zeroServer()
const script = (name) => fileURLToPath(new URL(name, import.meta.url))
try {
  await mkdir(join(cwd, 'docs'))
  for (let n = 0; n < documents; n++)
    await writeFile(
      join(cwd, `docs/${n}.md`),
      `# Note ${n}\n\n${`The ferry number ${n} sails at nine. `.repeat(20)}\n`,
    )
  const ours = [bin, 'summarize', 'docs', '-q', '--log', 'log.jsonl', '--concurrency', pool, '--yes']
  const commands = {
    'claude-batch': (run) => [...ours, '-o', `ours-${run}`],
    'plain SDK loop': (run) => [script('plain-sdk.js'), 'docs', `sdk-${run}`, pool],
    'bare undici loop': () => [script('bare-undici.js'), 'docs', '-', pool],
  }
  const used = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
  for (let run = 0; run < Number(values.runs); run++)
    for (const [name, args] of Object.entries(commands))
      used[name].push(await timed(args(run), { cwd, url: server.url }))
  const plain = spread(used['plain SDK loop'].map(({ userMs }) => userMs)).median
  const result = {
    machine,
    documents,
    pool: Number(pool),
    ...Object.fromEntries(
      Object.entries(used).map(([name, all]) => {
        const userMs = spread(all.map((one) => one.userMs))
        const systemMs = spread(all.map((one) => one.systemMs))
        return [name, { userMs, systemMs, times_plain: Math.round((userMs.median / plain) * 100) / 100 }]
      }),
    ),
  }
  for (const name of Object.keys(commands)) {
    const { userMs, systemMs, times_plain: times } = result[name]
    const figures = `${userMs.median} ms of user CPU (${userMs.min}–${userMs.max})  ${times} × plain`
    console.log(`${name.padEnd(18)} ${figures}; ${systemMs.median} ms of system CPU`)
  }
  const toRatios = (it) => ({ 'CPU per document × the plain SDK loop': it['claude-batch'].times_plain })
  await finish('overhead', result, toRatios, values)
} finally {
  server.close()
  await rm(cwd, { recursive: true, force: true })
}
