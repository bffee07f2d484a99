import type { Source } from '../../src/core/document/document.ts'
import { ledgerVersion } from '../../src/core/run/ledger-entry.ts'
import { prepareFolder, probeFolder } from '../../src/storage/output-folder.ts'
import { openMemory } from '../../src/storage/output-state.ts'
import { type Files, filesSink } from '../../src/storage/summary-files.ts'
import { realClock } from './real-clock.ts'

let runs = 0

/** The files of an output folder as a run opens them; `close` lets the next one open it. */
export async function openFiles(
  out: string,
  sources: readonly Source[],
  { recipe = 'r', force = false }: { recipe?: string; force?: boolean } = {},
): Promise<Files> {
  const run = (++runs).toString(16).padStart(12, '0')
  await prepareFolder(out)
  const foldsCase = await probeFolder(out, run)
  const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', recipe }
  const time = new Date(realClock.wall()).toISOString()
  const { prompt, model } = facts
  const memory = await openMemory(out, {
    v: ledgerVersion,
    time,
    run,
    version: '0',
    base: '..',
    prompt,
    model,
  })
  return filesSink(out, sources, {
    memory,
    factsFor: () => facts,
    foldsCase,
    force,
    frontMatter: false,
    redo: [],
    structured: false,
    clock: realClock,
  })
}
