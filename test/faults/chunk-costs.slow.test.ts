import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildReportJson } from '../../src/core/report/build-report-json.ts'
import { readRecordedRuns } from '../../src/storage/ledger/recorded-runs.ts'
import { createFolder, runCli, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { faulty } from './invariants.ts'

const chapter = (n: number) =>
  `# Chapter ${n}\n\n${`Of voyage ${n} there is much to tell, of ports and of weather. `.repeat(30)}\n\n`
const book = (...chapters: readonly number[]) => chapters.map(chapter).join('')
const args = ['summarize', 'docs', '--chunk-tokens', '1600', '--concurrency', '1']

/** Returns the input tokens that the ledger accounts for. */
async function booked(cwd: string): Promise<number> {
  const runs = await readRecordedRuns(join(cwd, 'summaries'), undefined)
  return buildReportJson(runs, { createdAt: '', programVersion: '' }).totals.input_tokens
}

/** More input tokens than any request of this test has. */
const oneAnswer = 1200

describe('a run that is killed at any operation on its state files', () => {
  it('leaves a ledger that the next run completes: at most one answer is missing, and none is counted twice', async () => {
    for (let [at, survived] = [1, false]; !survived; at++) {
      const cwd = await createFolder({ 'docs/book.md': book(1, 2, 1, 3), 'docs/note.md': 'A note.\n' })
      const { env, simulator } = await startService({ script: () => ({ kind: 'answer', delayMs: 1 }) })
      const plan = { do: 'kill', short: true, at, op: 'write|writeFile|sync|rename|rm|truncate' }
      const faults = faulty({ ...plan, path: `^${join(cwd, 'summaries/.claude-batch/')}.*\\.jsonl$` })
      survived = (await runCli(args, { cwd, env: { ...env, ...faults } })).signal === null
      // The new text drops some chunks, which were paid for nevertheless.
      await writeFile(join(cwd, 'docs/book.md'), book(2, 4))
      for (const _ of ['completes it', 'changes nothing'])
        expect(await runInProcess(args, { cwd, env })).toMatchObject({ code: 0 })
      const unbooked = simulator.stats().billed.inputTokens - (await booked(cwd))
      expect(unbooked, `killed at operation ${at}`).toBeGreaterThanOrEqual(0)
      expect(unbooked, `killed at operation ${at}`).toBeLessThanOrEqual(survived ? 0 : oneAnswer)
    }
  })
})
