// Measures start-up time, compared with bare Node and with a script that sends one request through the
// official SDK.
//   node bench/start.js [--runs 15] [--json FILE] [--check]
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { finish, finishOptions } from './check.js'
import { bin, machine, spread, timed, zeroServer } from './processes.js'

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
    for (const [name, args] of Object.entries(commands))
      times[name].push((await timed(args, { cwd, url: server.url, reportsUsage: false })).ms)
  // The fastest runs are compared, because other work on the machine can only make a start slower.
  const bare = spread(times['bare Node']).min
  const result = Object.fromEntries(
    Object.entries(times).map(([name, all]) => {
      const ms = spread(all)
      return [name, { ms, times_bare: Math.round((ms.min / bare) * 100) / 100 }]
    }),
  )
  for (const [name, { ms, times_bare: times }] of Object.entries(result))
    console.log(
      `${name.padEnd(26)} ${String(ms.min).padStart(7)} ms (to ${ms.max})  ${times} × bare Node`,
    )
  await finish('start', { machine, ...result }, toRatios, values)
} finally {
  server.close()
  await rm(cwd, { recursive: true, force: true })
}

function toRatios(result) {
  const ofPlain = result['one document'].ms.min / result['one document, plain SDK'].ms.min
  return {
    '--version × bare Node': result['--version'].times_bare,
    '--help × bare Node': result['--help'].times_bare,
    'one document × the plain SDK script': ofPlain,
  }
}
