import { appendFile, copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { zeroUsage } from '../../src/core/pricing/usage.ts'
import type { Attempt } from '../../src/core/request/attempt.ts'
import { type DocumentEntry, ledgerFormatVersion, type RunStart } from '../../src/core/run/ledger-entry.ts'
import type { Outcome } from '../../src/core/run/outcome.ts'
import { toLedgerEntry } from '../../src/core/run/to-ledger-entry.ts'
import { openChunkCosts } from '../../src/storage/chunk-costs.ts'
import { readRecordedRuns } from '../../src/storage/ledger/recorded-runs.ts'
import { openOutputState } from '../../src/storage/output-state.ts'
import { injectFaults } from '../support/fault-fs.mjs'
import { createFolder } from '../support/run-cli.ts'

const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash: 'r' }
const runLine = (run: string): RunStart => ({
  type: 'run_start',
  format_version: ledgerFormatVersion,
  started_at: '2026-11-22T12:00:00.000Z',
  run_id: run,
  program_version: '1',
  cwd: '..',
  prompt: facts.prompt,
  model: facts.model,
})
const attempt = (path: string, tokens: number | undefined): Attempt => ({
  path,
  attemptNumber: 1,
  startedAt: Date.parse('2026-11-22T12:00:00Z'),
  elapsedMs: 1500,
  model: facts.model,
  status: 200,
  ...(tokens !== undefined && {
    usage: { ...zeroUsage, input_tokens: tokens, output_tokens: 1 },
    cost: BigInt(tokens) * 100_000n,
  }),
})

/** Opens an output folder as a run does, after a run that had it open was killed. */
async function opened(out: string, run: RunStart) {
  // Closes the files of the previous run, as its death would.
  injectFaults({})
  const costs = await openChunkCosts(out, run, () => facts)
  const memory = await openOutputState(out, run, {
    onEntry: (line, _, by) => costs.observe(line, by),
    chunkCosts: costs,
  })
  return { costs, memory }
}

const folder = () => createFolder({ '.claude-batch/ledger.jsonl': '' })
const costsIn = (out: string) => join(out, '.claude-batch/chunk-costs.jsonl')

/** Returns the ledger's entries about documents, with the ids of their runs. */
async function linesIn(out: string) {
  const runs = await readRecordedRuns(out, undefined)
  return runs.flatMap(({ start: run, entries: lines }) => lines.map((line) => ({ run: run.run_id, ...line })))
}

/** Returns the ledger entry of a finished document. */
function doneWith(path: string, attempts: readonly Attempt[]): DocumentEntry {
  const source = { index: 0, path, namedByUser: true }
  const failure = { kind: 'reply', type: 'refusal', message: 'declined', transient: false } as const
  const failed: Outcome = { document: source, attempts, elapsedMs: 1, status: 'failed', failure }
  return toLedgerEntry(failed, new Date().toISOString(), facts) as DocumentEntry
}

describe('costs of chunks', () => {
  afterAll(() => injectFaults({}))

  it('of a killed run are recorded by the next run, under the killed run, in one entry per document', async () => {
    const out = await folder()
    const killed = await opened(out, runLine('killed'))
    await killed.costs.add('a.md', [attempt('a.md', 100)])
    await killed.costs.add('b.md', [attempt('b.md', 10), attempt('b.md', 20)])
    await killed.costs.add('a.md', [attempt('a.md', 1)])

    await opened(out, runLine('next'))
    expect(await linesIn(out)).toMatchObject([
      {
        run: 'killed',
        path: 'a.md',
        status: 'pending',
        prompt: facts.prompt,
        usage: { input_tokens: 101, output_tokens: 2 },
        cost_usd: 101e-7,
        attempts: 2,
        ended_at: '2026-11-22T12:00:01.500Z',
      },
      { run: 'killed', path: 'b.md', status: 'pending', usage: { input_tokens: 30 }, attempts: 2 },
    ])
    await opened(out, runLine('last'))
    expect(await linesIn(out)).toHaveLength(2)
  })

  it('are not recorded twice if a run is killed before it removes them', async () => {
    const out = await folder()
    const killed = await opened(out, runLine('killed'))
    await killed.costs.add('a.md', [attempt('a.md', 100)])
    await copyFile(costsIn(out), `${costsIn(out)}.copy`)
    await opened(out, runLine('next'))
    await copyFile(`${costsIn(out)}.copy`, costsIn(out))
    await opened(out, runLine('last'))
    expect(await linesIn(out)).toMatchObject([{ run: 'killed', path: 'a.md', attempts: 1 }])
  })

  it('include the known part and the number of replies whose cost is unknown', async () => {
    const out = await folder()
    const killed = await opened(out, runLine('killed'))
    await killed.costs.add('a.md', [attempt('a.md', 100)])
    await killed.costs.add('a.md', [attempt('a.md', undefined)])
    await opened(out, runLine('next'))
    expect(await linesIn(out)).toMatchObject([
      { usage: { input_tokens: 100 }, cost_usd: 1e-5, replies_with_unknown_cost: 1, attempts: 2 },
    ])
  })

  it('with a torn last line include all lines before it', async () => {
    const out = await folder()
    const killed = await opened(out, runLine('killed'))
    await killed.costs.add('a.md', [attempt('a.md', 100)])
    await appendFile(costsIn(out), (await readFile(costsIn(out), 'utf8')).slice(0, -40))
    await opened(out, runLine('next'))
    expect(await linesIn(out)).toMatchObject([{ path: 'a.md', usage: { input_tokens: 100 } }])
  })

  it('of a newer version are left unchanged', async () => {
    const out = await folder()
    await appendFile(costsIn(out), `${JSON.stringify({ ...runLine('newer'), format_version: 99 })}\n`)
    await expect(opened(out, runLine('next'))).rejects.toMatchObject({
      exit: 'usage',
      message: expect.stringContaining('was written by a newer claude-batch'),
    })
  })

  it('are in the ledger once, whether their documents were recorded, journaled or unfinished at the kill', async () => {
    const paid = fc.record({
      path: fc.constantFrom('a.md', 'b.md', 'c.md'),
      chunks: fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 3 }),
      last: fc.integer({ min: 1, max: 1000 }),
      ending: fc.constantFrom('recorded', 'kept', 'killed'),
    })
    const runs = fc.array(fc.uniqueArray(paid, { selector: ({ path }) => path, maxLength: 3 }), {
      minLength: 1,
      maxLength: 4,
    })
    await fc.assert(
      fc.asyncProperty(runs, async (runs) => {
        const out = await folder()
        let billed = 0
        for (const [n, documents] of runs.entries()) {
          const { costs, memory } = await opened(out, runLine(`run${n}`))
          for (const { path, chunks, last, ending } of documents) {
            const attempts = chunks.map((tokens) => attempt(path, tokens))
            for (const it of attempts) await costs.add(path, [it])
            billed += chunks.reduce((sum, tokens) => sum + tokens, 0)
            if (ending === 'killed') continue
            const place = await memory.persist({ entry: doneWith(path, [...attempts, attempt(path, last)]) })
            billed += last
            if (ending === 'recorded') await place()
          }
        }
        await opened(out, runLine('last'))
        const lines = await linesIn(out)
        expect(lines.reduce((sum, { usage }) => sum + (usage?.input_tokens ?? 0), 0)).toBe(billed)
      }),
      { numRuns: 40 },
    )
  })
})
