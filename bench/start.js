// Measures CPU time of short commands, compared with bare Node and with a script that sends one request through the
// official SDK. CPU time is less noisy than time, and as long, unless the program waits.
//   node bench/start.js [--runs 15] [--json FILE] [--check]
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { finish, finishOptions } from './check.js'
import { bin, machine, spread, zeroServer } from './processes.js'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '15' }, ...finishOptions } })
const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-start-'))
const server = await zeroServer()
try {
  await mkdir(join(cwd, 'docs'))
  await writeFile(join(cwd, 'docs/a.md'), 'The harbour has a keeper, and the keeper has a dog.\n')
  const plain = fileURLToPath(new URL('plain-sdk.js', import.meta.url))
  const commands = {
    'bare Node': ['--eval', '0'],
    '--version': [bin, '--version'],
    '--help': [bin, '--help'],
    'one document': [bin, 'summarize', 'docs', '--redo', 'all', '-q'],
    'one document, plain SDK': [plain, 'docs', 'out', '1'],
  }
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
  // Interleaved, so that noise affects all commands alike.
  for (let run = 0; run < Number(values.runs); run++)
    for (const [name, args] of Object.entries(commands)) times[name].push(measureCpu(args))
  const bare = spread(times['bare Node']).median
  const result = Object.fromEntries(
    Object.entries(times).map(([name, all]) => {
      const cpuMs = spread(all)
      return [name, { cpu_ms: cpuMs, times_bare: Math.round((cpuMs.median / bare) * 100) / 100 }]
    }),
  )
  for (const [name, { cpu_ms: ms, times_bare: times }] of Object.entries(result))
    console.log(
      `${name.padEnd(26)} ${String(ms.median).padStart(7)} ms (${ms.min}–${ms.max})  ${times} × bare Node`,
    )
  await finish('start', { machine, ...result }, toRatios, values)
} finally {
  server.close()
  await rm(cwd, { recursive: true, force: true })
}

/** Returns the CPU time of Node with these arguments in ms. A shell measures it, so that the process has nothing else to do. */
function measureCpu(args) {
  const script = 'TIMEFORMAT="%3U %3S"; time "$@" > printed'
  const env = { PATH: process.env.PATH, ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: 'bench' }
  const command = ['-c', script, '-', process.execPath, ...args]
  const { status, stderr } = spawnSync('bash', command, { cwd, env, encoding: 'utf8' })
  const [, user, system] = /([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? []
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  return 1000 * (Number(user) + Number(system))
}

function toRatios(result) {
  const ofPlain = result['one document'].cpu_ms.median / result['one document, plain SDK'].cpu_ms.median
  return {
    '--version × bare Node': result['--version'].times_bare,
    '--help × bare Node': result['--help'].times_bare,
    'one document × the plain SDK script': ofPlain,
  }
}
