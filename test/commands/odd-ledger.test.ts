import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createDocumentEntry, runEnd, runStart } from '../support/ledger-entries.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const most = Number.MAX_SAFE_INTEGER
const usage = (tokens: number) => ({
  input_tokens: tokens,
  cache_creation_5m_input_tokens: tokens,
  cache_creation_1h_input_tokens: tokens,
  cache_read_input_tokens: tokens,
  output_tokens: tokens,
})
const output = { path: 'a.md.summary.md', size_bytes: 1, mtime_ms: 1, sha256: 'x' }
const summarized = { request_hash: 'k', size_bytes: 1, mtime_ms: 1, output }

/** Fields that make an entry well-formed but implausible, or damaged. */
const odd: Readonly<Record<string, object>> = {
  'usage of 1e15 tokens': { usage: usage(1e15) },
  'the highest numbers': {
    usage: usage(most),
    cost_usd: most,
    attempts: most,
    latency_ms: most,
    characters: most,
  },
  'fractions of tokens': {
    usage: usage(1.5),
    cost_usd: 1e-300,
    attempts: 0.5,
    lost_replies: 0.5,
    size_bytes: 0.5,
  },
  'a cost of 1e300': { cost_usd: 1e300 },
  'a latency that is a string': { latency_ms: '5' },
  'negative durations': { elapsed_ms: -3_600_000, wait_ms: -5, retry_ms: -3_600_000, latency_ms: -1 },
  'the lowest durations': { elapsed_ms: -most, wait_ms: -most, retry_ms: -most, latency_ms: -most },
  'unknown durations': { elapsed_ms: null, wait_ms: null, retry_ms: null, latency_ms: null },
  'the earliest possible time': { ended_at: '0000-01-01T00:00:00.000Z' },
  'the latest possible time': { ended_at: '9999-12-31T23:59:59.999Z' },
}

const reports = [
  [],
  ['--format', 'json'],
  ['--format', 'md'],
  ['--format', 'html'],
  ['--group-by', 'day'],
  ['--group-by', 'folder'],
  ['--run', 'last'],
  ['--run', 'last', '--format', 'html'],
]

it.each(Object.keys(odd))('a report on a ledger with %s includes its good entries', async (name) => {
  const entry = { ...createDocumentEntry('docs/odd.md', summarized), ...odd[name] }
  const good = createDocumentEntry('docs/good.md', { ...summarized, request_hash: 'k2' })
  const ledger = [runStart, good, entry, runEnd, { ...runEnd, duration_ms: -5, limits: { requests: most } }]
  const text = ledger.map((line) => `${JSON.stringify(line)}\n`).join('')
  const cwd = await createFolder({
    'docs/good.md': 'The harbour.',
    'docs/odd.md': 'The harbour.',
    'summaries/.claude-batch/ledger.jsonl': text,
  })
  for (const flags of reports) {
    const { code, stdout, stderr } = await runInProcess(['report', ...flags], { cwd, env: {} })
    expect([flags, code, stderr.includes('bug')]).toEqual([flags, 0, false])
    // The bars of a column chart have negative y coordinates, because they extend above the base line.
    const shown = stdout.replace(/<(script|style)[\s\S]*?<\/\1>|viewBox="[^"]*"|y="-/g, '')
    expect(shown.length).toBeLessThan(100_000)
    expect(stdout).not.toMatch(/viewBox="0 \S+ \d{5}/)
    expect(/.{0,30}(NaN|Infinity|undefined|[( >|]-\d).{0,30}/.exec(shown)?.[0]).toBeUndefined()
  }
  const { stdout } = await runInProcess(['report', '--format', 'json'], { cwd, env: {} })
  const report = JSON.parse(stdout)
  expect(report.documents.map(({ path }: { path: string }) => path)).toContain('docs/good.md')
  for (const ms of Object.values(report.time)) expect(ms).toBeGreaterThanOrEqual(0)
  // The estimate is based on the ledger. Its time is set before the runs, so that they are compared with it.
  const file = join(cwd, 'estimate.json')
  const flags = ['--dry-run', '--simulate', '--redo', 'flagged', '--report', file]
  const estimated = await runInProcess(['summarize', 'docs', ...flags], { cwd, env: {} })
  const estimate = { ...JSON.parse(await readFile(file, 'utf8')), created_at: '2020-01-01T00:00:00.000Z' }
  await writeFile(file, JSON.stringify(estimate))
  const compared = await runInProcess(['report', '--compare-estimate', file], { cwd, env: {} })
  for (const { code, stdout, stderr } of [estimated, compared]) {
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('bug')])
    expect(stdout + stderr).not.toMatch(/NaN|Infinity|undefined/)
  }
})
