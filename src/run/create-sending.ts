import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { DocumentRef } from '../core/document/document.ts'
import type { AnswerSettings } from '../core/request/answer-settings.ts'
import type { ItemSettings } from '../engine/batch/batch-filler.ts'
import type { Sending } from '../engine/batch/run-batches.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import { type SummarizeJob, summarizeDocuments } from '../engine/summarize-documents.ts'
import type { FolderState } from './output.ts'
import type { PromptChoice, ReplyChecks } from './request-builder.ts'

export interface SendingOptions {
  readonly options: Pick<SummarizeOptions, 'frontMatter' | 'footnotes' | 'force' | 'prices'>
  readonly promptChoice: Pick<PromptChoice, 'getProvenance'>
  readonly requestBuilder: Pick<ReplyChecks, 'getAnswerSettings'>
  readonly folder: Pick<FolderState, 'hasSucceededBefore'>
  readonly budget: SharedBudget | undefined
  /** Whether the run submits documents in batches, rather than live. */
  readonly shouldSubmit: boolean
  /** Selects and orders the documents to send live; defaults to all of them. */
  readonly selectLive?: ((sources: readonly DocumentRef[]) => AsyncIterable<DocumentRef>) | undefined
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/**
 * Returns how a run that uses batches sends the documents that are in no batch yet: live, or in new batches.
 */
export function createSending(
  job: Omit<SummarizeJob, 'sources'>,
  { options, promptChoice, requestBuilder, folder, budget, shouldSubmit, selectLive, nowMs }: SendingOptions,
): Sending {
  const runLive = (sources: SummarizeJob['sources']) => summarizeDocuments({ ...job, sources })
  if (!shouldSubmit) return { runLive: (sources) => runLive(selectLive?.(sources) ?? sources) }
  const { hasSucceededBefore } = folder
  const getItemSettings = createItemSettingsLookup(promptChoice, requestBuilder, options, nowMs)
  return { runLive, batches: { ...job, getItemSettings, budget, hasSucceededBefore } }
}

/**
 * Returns a function that looks up the data that a batch stores for a document's request: its provenance and
 * its answer settings. Documents with the same settings share one settings object.
 * @param nowMs milliseconds since 1970
 */
function createItemSettingsLookup(
  { getProvenance }: SendingOptions['promptChoice'],
  { getAnswerSettings }: SendingOptions['requestBuilder'],
  { frontMatter, footnotes, force, prices = {} }: SendingOptions['options'],
  nowMs: number,
): (path: string) => ItemSettings {
  const settingsByAnswers = new Map<object, AnswerSettings>()
  return (path) => {
    const answers = getAnswerSettings(path)
    const provenance = getProvenance(path)
    const { model } = provenance
    const price = Object.hasOwn(prices, model) ? prices[model] : undefined
    const settings = settingsByAnswers.get(answers) ?? {
      ...answers,
      frontMatter,
      ...(answers.citations !== undefined && !footnotes && { citations: 'hidden' as const }),
      ...(force && { replacesBefore: nowMs }),
      ...(price !== undefined && { price }),
    }
    settingsByAnswers.set(answers, settings)
    return { provenance, answerSettings: settings }
  }
}
