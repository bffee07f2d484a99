import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createSeededRandom } from '../../src/simulator/seeded-random.ts'
import { readLedger } from '../../src/storage/ledger/read-ledger.ts'
import { openOutputState } from '../../src/storage/output-state.ts'
import { createDocumentEntry, runStart, timestampAt } from '../support/ledger-entries.ts'
import { recordDisk, replay, writeTree } from '../support/power-loss.mjs'
import { createFolder } from '../support/run-cli.ts'

const paths = Array.from({ length: 12 }, (_, n) => `docs/${n % 3}/${n}.md`)
/** About three of these texts fill the journal. */
const textOf = (path: string) => `${path} `.repeat(130_000)

/** Persists a text for each document, as a run with two requests in flight. @param onPersisted when it is safe */
async function persistAll(cwd: string, onPersisted: (path: string) => void): Promise<void> {
  const state = await openOutputState(join(cwd, 'out'), runStart)
  const pending = paths.values()
  const work = async () => {
    for (const path of pending) {
      const entry = createDocumentEntry(path, {
        ended_at: timestampAt(paths.indexOf(path)),
        size_bytes: 1,
        request_hash: path,
        sha256: 'f',
      })
      const finish = await state.persist({ entry, path: `${path}.summary.md`, text: textOf(path) })
      onPersisted(path)
      await finish()
    }
  }
  await Promise.all([work(), work()])
  await state.close()
}

it('P27 a power loss around the moments at which the journal is emptied loses no text', async () => {
  const cwd = await createFolder({})
  await mkdir(join(cwd, 'out/.claude-batch'), { recursive: true })
  const recording = recordDisk(cwd)
  await persistAll(cwd, recording.mark).finally(recording.stop)

  for (let seed = 1; seed <= 25; seed++) {
    const random = createSeededRandom(seed)
    const disk = replay(recording, Math.floor(random() * (recording.events.length + 1)))
    const folder = await mkdtemp(join(tmpdir(), 'claude-batch-power-'))
    try {
      writeTree(disk.afterPowerLoss(random), folder)
      await (await openOutputState(join(folder, 'out'), { ...runStart, run_id: 'r2' })).close()
      const recorded: string[] = []
      await readLedger(join(folder, 'out/.claude-batch/ledger.jsonl'), '..', (_, path) => recorded.push(path))
      for (const path of disk.marks()) {
        const text = await readFile(join(folder, 'out', `${path}.summary.md`), 'utf8')
        expect([seed, path, text === textOf(path)]).toEqual([seed, path, true])
        expect([seed, path, recorded.filter((one) => one === path).length]).toEqual([seed, path, 1])
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
})
