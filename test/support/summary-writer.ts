import { dirname } from 'node:path'
import type { DocumentRef } from '../../src/core/document/document.ts'
import { ledgerFormatVersion } from '../../src/core/run/ledger-entry.ts'
import { createEarlierResults } from '../../src/storage/earlier-results.ts'
import { createOutputFolder, probeOutputFolder } from '../../src/storage/output-folder.ts'
import { openOutputState } from '../../src/storage/output-state.ts'
import { createReusableSummaries } from '../../src/storage/reusable-summaries.ts'
import { createSummaryInspector } from '../../src/storage/summary-inspector.ts'
import { createSummaryWriter, type SummaryWriter } from '../../src/storage/summary-writer.ts'
import { realClock } from './real-clock.ts'

let runs = 0

/** Opens a writer for an output folder as a run does; `close` allows the next one to open the folder. */
export async function openSummaryWriter(
  out: string,
  sources: readonly DocumentRef[],
  { settingsHash = 'r', force = false }: { settingsHash?: string; force?: boolean } = {},
): Promise<SummaryWriter> {
  const run = (++runs).toString(16).padStart(12, '0')
  await createOutputFolder(out)
  const foldsCase = await probeOutputFolder(out, run)
  const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash }
  const time = new Date(realClock.wallTime()).toISOString()
  const { prompt, model } = facts
  const outputState = await openOutputState(out, {
    type: 'run_start',
    format_version: ledgerFormatVersion,
    started_at: time,
    run_id: run,
    program_version: '0',
    cwd: '..',
    prompt,
    model,
  })
  const findProvenance = () => facts
  const options = { ledger: outputState, findProvenance, redo: [], replies: 'local' } as const
  const earlier = createEarlierResults(out, options)
  const inspector = createSummaryInspector(out, sources, {
    ledger: outputState,
    findProvenance,
    foldsCase,
    force,
    redo: [],
    structured: false,
    earlier,
  })
  return createSummaryWriter(out, {
    outputState,
    inspector,
    reusable: createReusableSummaries(out, { summaries: outputState.summaries, earlier, cwd: dirname(out) }),
    findProvenance,
    frontMatter: false,
    footnotes: true,
    clock: realClock,
  })
}
