// Measures runs with few and many documents: memory, and whether the time per document stays constant.
//   node bench/scale.js [--documents 1000,20000,100000] [--json FILE] [--check]
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { finish, finishOptions } from './check.js'
import { bin, machine, timed, zeroServer } from './processes.js'

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '1000,20000,100000' },
    ...finishOptions,
  },
})
const pool = '16'
const script = (name) => fileURLToPath(new URL(name, import.meta.url))
const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-scale-'))
const server = await zeroServer()
try {
  const result = { machine }
  for (const documents of values.documents.split(',').map(Number)) {
    // A realistic tree: 1,000 documents per folder.
    for (let n = 0; n < documents; n++) {
      const folder = join(cwd, `${documents}/${Math.floor(n / 1000)}`)
      if (n % 1000 === 0) await mkdir(folder, { recursive: true })
      await writeFile(
        join(folder, `${n}.md`),
        `# Note ${n}\n\n${`The ferry number ${n} sails at nine. `.repeat(20)}\n`,
      )
    }
    const ours = [bin, 'summarize', String(documents), '-q', '--yes', '--concurrency', pool]
    const began = Date.now()
    const run = await timed([...ours, '-o', `out-${documents}`, '--log', 'log.jsonl'], {
      cwd,
      url: server.url,
    })
    const ends = (await readFile(join(cwd, 'log.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map(endOf)
      .sort((a, b) => a - b)
    await rm(join(cwd, 'log.jsonl'))
    const rerun = await timed([...ours, '-o', `out-${documents}`], { cwd, url: server.url })
    const plain = await timed([script('plain-sdk.js'), String(documents), `sdk-${documents}`, pool], {
      cwd,
      url: server.url,
    })
    result[documents] = {
      peakMb: Math.round(run.peakMb),
      seconds: Math.round(run.ms / 100) / 10,
      firstAnswerMs: ends[0] - began,
      tenths: tenthsOf(ends),
      rerun: { peakMb: Math.round(rerun.peakMb), seconds: Math.round(rerun.ms / 100) / 10 },
      plain: { peakMb: Math.round(plain.peakMb), seconds: Math.round(plain.ms / 100) / 10 },
    }
    console.log(documents, JSON.stringify(result[documents]))
  }
  const { machine: _, ...runs } = result
  const memory = Object.entries(runs).map(([documents, { peakMb }]) => [documents, peakMb])
  await finish('scale', { ...result, peakMbByDocuments: Object.fromEntries(memory) }, toRatios, values)
} finally {
  server.close()
  await rm(cwd, { recursive: true, force: true })
}

/** Returns the memory of each run, compared with that of the first. */
function toRatios({ peakMbByDocuments: peakMb }) {
  const [[fewest, leastMb], ...more] = Object.entries(peakMb)
  return Object.fromEntries(
    more.map(([documents, mb]) => [
      `peak memory, ${documents} documents × ${fewest} documents`,
      mb / leastMb,
    ]),
  )
}

function endOf(line) {
  const { started_at: startedAt, elapsed_ms: elapsed } = JSON.parse(line)
  return Date.parse(startedAt) + elapsed
}

/** Returns the mean time per document in ms, for each tenth of the run. */
function tenthsOf(ends) {
  const tenth = Math.floor((ends.length - 1) / 10)
  return Array.from({ length: 10 }, (_, n) => {
    const ms = (ends[(n + 1) * tenth] - ends[n * tenth]) / tenth
    return Math.round(ms * 1000) / 1000
  })
}
