import { dirname, join } from 'node:path'
import { addFootnotes } from '../core/citations/format-footnotes.ts'
import { countDocument, type DocumentCount } from '../core/document/document-count.ts'
import { formatFrontMatter } from '../core/document/front-matter.ts'
import { unwritableTypes } from '../core/document/overwrite-policy.ts'
import { formatErrorRecord } from '../core/errors/format-error-record.ts'
import type { Clock } from '../core/run/clock.ts'
import type { Failed, Outcome } from '../core/run/outcome.ts'
import type { Provenance } from '../core/run/provenance.ts'
import type { Sink } from '../core/run/sink.ts'
import { toLedgerEntry } from '../core/run/to-ledger-entry.ts'
import { escapeLoneSurrogates } from '../core/text/minify-json.ts'
import { isPathAllowed } from './fs/path-length.ts'
import { findSymlink } from './fs/symlinks.ts'
import type { JournalEntry } from './ledger/journal.ts'
import type { OutputState } from './output-state.ts'
import type { RerunReason } from './rerun-reason.ts'
import type { ReusableSummaries } from './reusable-summaries.ts'
import type { DocumentOutput, SummaryInspector } from './summary-inspector.ts'

/** Writes outcomes to an output folder. */
export interface SummaryWriter extends Sink {
  /**
   * Writes an outcome to the journal, so that it survives a crash. `write` later puts the outcome in place.
   * Returns false if the journal cannot be written; `write` then rejects.
   */
  persist(outcome: Outcome): Promise<boolean>
  /** Documents that were summarized again so far, by the reason. */
  readonly rerunReasons: ReadonlyMap<RerunReason, DocumentCount>
}

export interface SummaryWriterOptions {
  readonly outputState: Pick<
    OutputState,
    'summaries' | 'unfinishedPaths' | 'persist' | 'confirmUnchanged' | 'removeMoved' | 'close'
  >
  readonly inspector: Pick<SummaryInspector, 'getOutput' | 'takeRerunReason'>
  readonly reusable: Pick<ReusableSummaries, 'onPersisted' | 'onWritten'>
  /** Returns the provenance of a document's summary in this run, by the document's path. */
  readonly findProvenance: (path: string) => Provenance
  /** Whether summaries begin with their provenance as front matter. */
  readonly frontMatter: boolean
  /** Whether summaries with citations have footnotes. */
  readonly footnotes: boolean
  readonly clock: Pick<Clock, 'wallTime'>
}

/**
 * Creates the sink of an output folder, which writes summaries in a tree that mirrors the documents. A
 * failed document gets an error record next to its summary, and keeps an earlier summary. A success removes
 * the error record.
 * @param out the output folder; absolute
 */
export function createSummaryWriter(
  out: string,
  { outputState, inspector, reusable, findProvenance, frontMatter, footnotes, clock }: SummaryWriterOptions,
): SummaryWriter {
  const { summaries, unfinishedPaths } = outputState
  const rerunReasons = new Map<RerunReason, DocumentCount>()
  const preparedOutcomes = new WeakMap<Outcome, Promise<() => Promise<void>>>()

  /** Persists an outcome. Resolves with a function that puts it in place. */
  const prepareOutcome = async (outcome: Outcome): Promise<() => Promise<void>> => {
    const doNothing = () => Promise.resolve()
    const { document, requestMetadata } = outcome
    const { path } = document
    const entry = toLedgerEntry(outcome, new Date(clock.wallTime()).toISOString(), findProvenance(path))
    if (entry === undefined) return doNothing
    if (entry.type === 'document') {
      // The settings come from the run that sent the request, which may be an earlier run.
      const { answerSettings } = requestMetadata ?? {}
      const head = (answerSettings?.frontMatter ?? frontMatter) ? formatFrontMatter(entry) : ''
      const hasFootnotes = (answerSettings?.citations ?? (footnotes ? 'footnotes' : 'hidden')) === 'footnotes'
      const place = inspector.getOutput(path, answerSettings)
      const file = toOutputFile(outcome, place, { out, head, hasFootnotes })
      await reusable.onPersisted(outcome)
      return outputState.persist({ entry, ...file })
    }
    const { size, mtime, settingsHash } = summaries.get(path) ?? {}
    const isKnown =
      entry.size_bytes === size && entry.mtime_ms === mtime && entry.settings_hash === settingsHash
    return isKnown && !unfinishedPaths.has(path) ? doNothing : () => outputState.confirmUnchanged(entry)
  }

  return {
    rerunReasons,
    async persist(outcome) {
      const preparing = prepareOutcome(outcome)
      preparedOutcomes.set(outcome, preparing)
      return preparing.then(
        () => true,
        () => false,
      )
    },
    async write(outcome) {
      const putInPlace = await (preparedOutcomes.get(outcome) ?? prepareOutcome(outcome))
      await putInPlace()
      const { path } = outcome.document
      const { summary } = inspector.getOutput(path, outcome.requestMetadata?.answerSettings)
      reusable.onWritten(outcome, summary)
      if (outcome.status === 'summarized' && outcome.reusedFrom?.isMove)
        await outputState.removeMoved(
          outcome.reusedFrom.path,
          summary,
          new Date(clock.wallTime()).toISOString(),
        )
      const reason = inspector.takeRerunReason(path)
      if (reason !== undefined && outcome.status === 'summarized') countDocument(rerunReasons, reason, path)
    },
    close: () => outputState.close(),
  }
}

/** Returns the file to write for an outcome, if any. @param head text before the summary */
function toOutputFile(
  outcome: Outcome,
  { summary, errorRecord, isJson }: DocumentOutput,
  {
    out,
    head,
    hasFootnotes,
  }: { readonly out: string; readonly head: string; readonly hasFootnotes: boolean },
): Pick<JournalEntry, 'path' | 'text'> {
  if (outcome.status === 'summarized') {
    const { citations = [] } = outcome
    const text = (hasFootnotes ? addFootnotes(outcome.text, citations) : outcome.text).trimEnd()
    return { path: summary, text: `${head}${isJson ? escapeLoneSurrogates(text) : text}\n` }
  }
  if (outcome.status !== 'failed' || !canHoldRecord(out, errorRecord, outcome)) return {}
  return { path: errorRecord, text: formatErrorRecord(outcome) }
}

/**
 * Whether the error record of a document can be written. For a document that cannot be read, this is the
 * first check of its output path. If the path is impossible, only the ledger records the failure, and the run
 * continues.
 */
function canHoldRecord(out: string, record: string, { failure, partialText }: Failed): boolean {
  if (unwritableTypes.has(failure.type) || !isPathAllowed(out, record)) return false
  return partialText !== undefined || findSymlink(out, dirname(join(out, record))) === undefined
}
