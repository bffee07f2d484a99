// Summarizes a book of 5 MB in chunks. Measures the cost compared with one long request, the time with
// several pool sizes, and the cost after an edit of one chapter.
//   node bench/book.js [--json FILE]
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createSeededRandom } from '../.build/random.js'
import { startSimulator } from '../.build/simulator.js'
import { machine, timed } from './processes.js'

const { values } = parseArgs({ options: { json: { type: 'string' } } })
const bin = fileURLToPath(new URL('../bin/claude-batch.js', import.meta.url))
const latencyMs = 500

const random = createSeededRandom(7)
const words =
  'the a harbour ferry keeper board channel tide winter letter council bridge coal and of with against after'.split(
    ' ',
  )
const word = () => words[Math.floor(random() * words.length)]
const sentence = () => `${Array.from({ length: 8 + Math.floor(random() * 14) }, word).join(' ')}. `
const chapter = (_, n) => {
  const paragraphs = Array.from({ length: 60 + Math.floor(random() * 120) }, () =>
    Array.from({ length: 4 + Math.floor(random() * 6) }, sentence).join(''),
  )
  return `# Chapter ${n + 1}\n\n${paragraphs.join('\n\n')}\n\n`
}
const chapters = Array.from({ length: 74 }, chapter)

const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-book-'))
try {
  const result = { machine, bytes: chapters.join('').length, chapters: chapters.length, latencyMs, runs: [] }
  for (const pool of [1, 4, 16]) {
    const simulator = await startSimulator({
      latency: { medianMs: latencyMs, sigma: 0.2 },
      limits: { rpm: 1e6, itpm: 1e9, otpm: 1e9 },
    })
    const run = () =>
      timed(
        [bin, 'summarize', 'book.md', '-q', '--yes', '--concurrency', String(pool), '-o', `out-${pool}`],
        {
          cwd,
          url: simulator.url,
        },
      )
    await writeFile(join(cwd, 'book.md'), chapters.join(''))
    const { ms } = await run()
    const { requests, billed } = simulator.stats()
    const edited = chapters.map((text, n) => (n === 30 ? text.replace('harbour', 'harbour of old') : text))
    await writeFile(join(cwd, 'book.md'), edited.join(''))
    await run()
    const ledger = await readFile(join(cwd, `out-${pool}/.claude-batch/ledger.jsonl`), 'utf8')
    const [first, second] = ledger
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .filter((line) => line.status === 'summarized')
    result.runs.push({
      pool,
      requests,
      seconds: Math.round(ms / 100) / 10,
      costUsd: first.cost_usd,
      wholeUsd: Math.round(billed.inputTokens * 0.5 + 1000 * 2.5) / 1e6,
      againAfterEdit: simulator.stats().requests - requests,
      againUsd: second.cost_usd,
    })
    console.log(JSON.stringify(result.runs.at(-1)))
    await simulator.close()
  }
  console.log(result.bytes, 'bytes')
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`)
} finally {
  await rm(cwd, { recursive: true, force: true })
}
