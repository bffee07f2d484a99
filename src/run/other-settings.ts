import type { DocumentRef } from '../core/document/document.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { pluralize } from '../core/text/format-number.ts'
import { buildDocumentRequest } from '../engine/prepare.ts'
import { runPool } from '../engine/run-pool.ts'
import { askUser } from './ask-user.ts'
import type { Output } from './output.ts'
import type { RunContext } from './run-context.ts'

/** The documents of a run whose summary was made with other settings. */
export interface SettingsChoice {
  /** Documents whose summary is kept. */
  readonly kept: readonly DocumentRef[]
  /** Documents to summarize: the pending ones, and those whose summary is replaced. */
  readonly pending: readonly DocumentRef[]
}

type ChoiceContext = Pick<
  RunContext,
  'options' | 'runtime' | 'reporter' | 'read' | 'requestBuilder' | 'promptChoice' | 'drainSignal'
>

/**
 * Decides about summaries that only a changed setting would replace. Asks on a terminal, and keeps them without one:
 * a flag that was used once must not cost them, or a second payment.
 * @param asks whether to ask and to print; without it, the summaries are kept
 * @throws the reason of the drain signal
 */
export async function chooseOtherSettings(
  output: Pick<Output, 'pending' | 'otherSettings' | 'folder'>,
  asks: boolean,
  context: ChoiceContext,
): Promise<SettingsChoice> {
  const { runtime, reporter, drainSignal } = context
  const { folder } = output
  const { changed, unclear } = output.otherSettings
  if (folder === undefined || changed.length + unclear.length === 0)
    return { kept: [], pending: output.pending }
  const { found, others } = await readUnclear(unclear, folder, context)
  const candidates = [...changed, ...found]
  const pending = [...output.pending, ...others]
  const sortByIndex = (documents: readonly DocumentRef[]) => [...documents].sort((a, b) => a.index - b.index)
  if (candidates.length === 0) return { kept: [], pending: sortByIndex(pending) }
  const difference = describeDifference(candidates, folder.findRun, context.promptChoice.getProvenance)
  const question = `${pluralize(candidates.length, 'summary', 'summaries')} ${candidates.length === 1 ? 'was' : 'were'} ${difference}. Replace ${candidates.length === 1 ? 'it' : 'them'}?`
  const answer = asks ? await reporter.suspend(() => askUser(runtime, question, drainSignal)) : undefined
  if (answer === true) return { kept: [], pending: sortByIndex([...pending, ...candidates]) }
  if (asks)
    reporter.printNote(
      `kept ${pluralize(candidates.length, 'summary', 'summaries')} ${difference}; to replace ${candidates.length === 1 ? 'it' : 'them'}, add --redo settings`,
    )
  return { kept: candidates, pending: sortByIndex(pending) }
}

/** Reads documents to find out whether only the settings of their summaries changed. */
async function readUnclear(
  unclear: readonly DocumentRef[],
  { isOnlySettingsChanged }: Pick<NonNullable<Output['folder']>, 'isOnlySettingsChanged'>,
  { read, requestBuilder, drainSignal }: Pick<ChoiceContext, 'read' | 'requestBuilder' | 'drainSignal'>,
): Promise<{ readonly found: readonly DocumentRef[]; readonly others: readonly DocumentRef[] }> {
  const [found, others]: [DocumentRef[], DocumentRef[]] = [[], []]
  if (requestBuilder === undefined) return { found, others: unclear }
  const { buildRequest, chunker } = requestBuilder
  const options = { read, buildRequest, ...(chunker !== undefined && { planChunks: chunker.planChunks }) }
  const classified = runPool(unclear, { getLimit: () => maxOpenFiles }, async (source) => {
    const prepared = await buildDocumentRequest(source, options)
    return { source, isFound: 'document' in prepared && isOnlySettingsChanged(source.path, prepared.asked) }
  })
  for await (const { source, isFound } of classified) {
    drainSignal.throwIfAborted()
    if (isFound) found.push(source)
    else others.push(source)
  }
  return { found, others }
}

/** How many documents are read at the same time. */
const maxOpenFiles = 16

/**
 * Returns how summaries were made and how this run would make them: `made with claude-sonnet-5-5 (this run uses
 * claude-haiku-5-5)`.
 */
function describeDifference(
  documents: readonly DocumentRef[],
  findRun: (path: string) => Pick<Provenance, 'prompt' | 'model'> | undefined,
  getProvenance: (path: string) => Provenance,
): string {
  const counts = new Map<string, number>()
  for (const { path } of documents) {
    const [before, now] = [findRun(path), getProvenance(path)]
    const key = describeOne(before, now)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const [[first = ''] = [], ...others] = [...counts].sort(([, a], [, b]) => b - a)
  return others.length === 0 ? first : `${first}, and ${pluralize(others.length, 'other difference')}`
}

function describeOne(before: Pick<Provenance, 'prompt' | 'model'> | undefined, now: Provenance): string {
  if (before === undefined || (before.prompt === now.prompt && before.model === now.model))
    return 'made with other settings (a parameter, the language, the schema, citations, the provider or how documents are read)'
  const name = (it: Pick<Provenance, 'prompt' | 'model'>) =>
    [before.prompt === now.prompt ? [] : it.prompt, before.model === now.model ? [] : it.model]
      .flat()
      .join(' and ')
  return `made with ${name(before)} (this run uses ${name(now)})`
}
