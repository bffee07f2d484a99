import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '../../src/simulator/seeded-random.ts'
import { recordDisk, replay } from '../support/power-loss.mjs'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { countedService, docs, filesBelow, ledgerOf } from './invariants.ts'
import { batchCase, losePower, seedsFrom } from './lose-power.ts'

describe('a power loss', () => {
  it('P27 loses no summary that was saved, and costs no more than the requests in flight', async () => {
    const names = [...'abcd']
    await losePower({ files: docs(names), args: [], concurrency: 2, names }, seedsFrom(1, 25))
  })

  it('P27 loses no batch, and pays for no request of one again', async () => {
    await losePower(batchCase, seedsFrom(5000, 15))
  })

  it('P27 brings back no error record that a recovery removed', async () => {
    const cwd = await createFolder(docs(['a']))
    const { env } = await countedService(() => ({ kind: 'answer', delayMs: 1 }))
    const run = () => runInProcess(['summarize', 'docs'], { cwd, env })
    expect((await run()).code).toBe(0)
    // As after a power loss that kept the summary and the ledger, and neither the removal of the record nor the end of the
    // journal.
    const [{ output, ...entry } = {}] = await ledgerOf(cwd)
    const path = 'docs/a.md.summary.md'
    const text = await readFile(join(cwd, 'summaries', path), 'utf8')
    await writeFile(
      join(cwd, 'summaries/.claude-batch/journal.jsonl'),
      `${JSON.stringify({ entry, path, text })}\n`,
    )
    const record = 'summaries/docs/a.md.error.txt'
    await writeFile(join(cwd, record), 'ERROR: reply refusal: the model declined\n')
    const recording = recordDisk(cwd)
    try {
      expect((await run()).code).toBe(0)
    } finally {
      recording.stop()
    }
    expect(await filesBelow(cwd)).not.toContain(record)
    for (let seed = 1; seed <= 20; seed++)
      expect([...replay(recording).afterPowerLoss(createSeededRandom(seed)).keys()]).not.toContain(record)
  })
})
