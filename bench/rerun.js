// Measures runs that send nothing: one whose documents are all up to date, and a dry run over documents without
// summaries. Compares their CPU time with loops that list the same files, and call stat on them or read them.
//   node bench/rerun.js [--documents 20000] [--runs 5] [--json FILE] [--check]
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { finish, finishOptions } from './check.js'
import { bin, machine, spread, timed, zeroServer } from './processes.js'

const { values } = parseArgs({
  options: {
    documents: { type: 'string', default: '20000' },
    runs: { type: 'string', default: '5' },
    ...finishOptions,
  },
})

/** The simple way: `node:fs/promises`, one file after the other. @param visit code for a file with this `path` */
const loop = (visit) => `
import { readdir, readFile, stat } from 'node:fs/promises'
const look = async (folder) => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = folder + '/' + entry.name
    if (entry.isDirectory()) await look(path)
    else await ${visit}
  }
}
for (const folder of process.argv.slice(1)) await look(folder)`
/** The fastest way in Node: synchronous calls. */
const syncLoop = (visit) => `
import { readdirSync, readFileSync, statSync } from 'node:fs'
const look = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = folder + '/' + entry.name
    if (entry.isDirectory()) look(path)
    else ${visit}
  }
}
for (const folder of process.argv.slice(1)) look(folder)`
const script = (text, ...folders) => ['--input-type=module', '-e', text, ...folders]

const commands = {
  'nothing to do': [bin, 'summarize', 'docs', '-q'],
  'list and stat': script(loop('stat(path)'), 'docs', 'summaries'),
  'list and stat documents': script(loop('stat(path)'), 'docs'),
  'list and stat, synchronous': script(syncLoop('statSync(path)'), 'docs', 'summaries'),
  'dry run': [bin, 'summarize', 'docs', '--dry-run', '-o', 'none'],
  'list and read': script(loop("readFile(path, 'utf8')"), 'docs'),
  'list and read, synchronous': script(syncLoop("readFileSync(path, 'utf8')"), 'docs'),
  'bare Node': ['-e', '0'],
}

const server = await zeroServer()
try {
  const result = { machine }
  for (const count of values.documents.split(',')) result[count] = await measure(Number(count))
  await finish('rerun', result, toRatios, values)
} finally {
  server.close()
}

async function measure(documents) {
  const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-rerun-'))
  const where = { cwd, url: server.url }
  try {
    for (let n = 0; n < documents; n++) {
      const folder = join(cwd, `docs/${Math.floor(n / 100)}`)
      if (n % 100 === 0) await mkdir(folder, { recursive: true })
      await writeFile(
        join(folder, `${n}.md`),
        `# Note ${n}\n\n${`The ferry number ${n} sails at nine. `.repeat(20)}\n`,
      )
    }
    const first = await timed([bin, 'summarize', 'docs', '-q', '--yes'], where)
    const runs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]))
    // Interleaved, so that noise affects all commands alike.
    for (let run = 0; run < Number(values.runs); run++)
      for (const [name, args] of Object.entries(commands)) runs[name].push(await timed(args, where))
    const median = (name, field) => spread(runs[name].map((run) => run[field])).median
    const cpu = (name) => median(name, 'cpuMs')
    const describe = (name) => ({
      seconds: round(median(name, 'ms') / 1000),
      cpuSeconds: round(cpu(name) / 1000),
      memoryOverNodeMb: Math.round(median(name, 'peakMb') - median('bare Node', 'peakMb')),
    })
    const result = {
      firstRunSeconds: round(first.ms / 1000),
      nothingToDo: {
        ...describe('nothing to do'),
        timesLoop: round(cpu('nothing to do') / cpu('list and stat')),
        timesLoopOverDocuments: round(cpu('nothing to do') / cpu('list and stat documents')),
        timesSyncLoop: round(cpu('nothing to do') / cpu('list and stat, synchronous')),
      },
      dryRun: {
        ...describe('dry run'),
        timesLoop: round(cpu('dry run') / cpu('list and read')),
        timesSyncLoop: round(cpu('dry run') / cpu('list and read, synchronous')),
      },
    }
    console.log(documents, JSON.stringify(result))
    return result
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

function toRatios({ machine: _, ...byCount }) {
  return Object.fromEntries(
    Object.entries(byCount).flatMap(([documents, { nothingToDo, dryRun }]) => [
      [`nothing to do, ${documents} documents × list and stat`, nothingToDo.timesLoop],
      [`nothing to do, ${documents} documents × list and stat, synchronous`, nothingToDo.timesSyncLoop],
      [`dry run, ${documents} documents × list and read`, dryRun.timesLoop],
      [`dry run, ${documents} documents × list and read, synchronous`, dryRun.timesSyncLoop],
    ]),
  )
}

function round(value) {
  return Math.round(value * 100) / 100
}
