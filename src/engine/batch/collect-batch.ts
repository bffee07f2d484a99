import type { Batch, BatchItem, BatchResult } from '../../core/batch/batch.ts'
import { toBatchOutcome, toConflictOutcome, toPendingOutcome } from '../../core/batch/batch-outcome.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import type { Citation } from '../../core/citations/citation.ts'
import { hasUncitedStatement } from '../../core/citations/statements.ts'
import { toCitedText, verifyCitations } from '../../core/citations/verify-citations.ts'
import type { Document, DocumentRef } from '../../core/document/document.ts'
import { unchangedOutcome, unwritableTypes } from '../../core/document/overwrite-policy.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { isNotFound, mayBeBilled, type RequestError } from '../../core/errors/request-error.ts'
import { mayConcernOneDocument } from '../../core/errors/resolve-account-error.ts'
import { BatchError, RunError } from '../../core/errors/run-error.ts'
import type { Picodollars, PriceOf } from '../../core/pricing/pricing-rules.ts'
import type { AnswerChecks, AnswerSettings } from '../../core/request/answer-settings.ts'
import type { Attempt } from '../../core/request/attempt.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import { pluralize } from '../../core/text/format-number.ts'
import { runPool } from '../run-pool.ts'
import { withFailureHint } from '../with-failure-hint.ts'
import type { BatchContext, Reservations } from './batch-context.ts'
import { type BatchItemResult, readResults } from './read-results.ts'

/** How results become outcomes. */
export interface CollectOptions {
  readonly priceOf: PriceOf
  /** Prepares the checks for answers to requests with these settings. @throws RunError if that fails */
  readonly loadChecks: (settings: AnswerSettings) => Promise<AnswerChecks>
}

export interface CollectJob extends BatchContext, CollectOptions {
  readonly reservations: Reservations
  readonly listener: CollectListener
}

interface CollectListener {
  /** Called when the API has answered a request, with a result or an error. */
  onAttempt(attempt: Attempt): void
  /** Called when a call fails with a transient error. It is retried after `waitMs`. */
  onRetry(error: AskError, waitMs: number): void
  /** Called when a batch has a problem that the user should know about. */
  onWarning(text: string): void
}

export interface CollectCallbacks {
  findSource(path: string): DocumentRef
  /** Returns a document as it was sent, or undefined if it is no longer available. */
  readDocument(item: BatchItem): Promise<Document | undefined>
  /** Called, instead of yielding an outcome, for a document that the API neither processed nor billed. */
  onRequeue(outcome: Outcome): void
  /** Called for each other finished document. */
  onSettled(outcome: Outcome): void
}

/** Assumed maximum length of the prompt around a document, in characters. Few prompts are longer. */
const maxPromptCharacters = 5000

/** The maximum number of outcomes that are persisted at the same time. The disk syncs them together. */
const maxConcurrentPersists = 64

/**
 * Yields an outcome for each unsettled document of an ended batch, after it was persisted. Removes the stored
 * batch once all of its documents are settled. If the results lack an answer for a document, the batch is
 * kept, because the document may have been billed.
 * @throws AskError or BatchError if the results cannot be fetched; RunError; the reason of a shutdown
 */
export async function* collectBatch(
  batch: StoredBatch,
  endedBatch: Batch,
  job: CollectJob & CollectCallbacks,
): AsyncGenerator<Outcome> {
  const missing = new Map([...batch.items].filter(([, { path }]) => !batch.isSettled(path)))
  const count = missing.size
  const concludeItem = createConcluder(endedBatch, await loadAllChecks(missing, job), job)
  const settledIds: string[] = []
  const concludeSafely = async ({ customId: id, ...answered }: EndedItem): Promise<Outcome | undefined> => {
    const { outcome, isSafe } = await concludeItem(answered).catch((error: unknown) => {
      if (!(error instanceof RunError)) throw error
      // The answer stays in the batch. Answers that are already finished must still be written.
      job.shutdown.drain(error)
      return { outcome: undefined, isSafe: false }
    })
    if (isSafe) settledIds.push(id)
    return outcome
  }
  try {
    const results = endedBatch.isArchived ? takeExpired(missing) : fetchItems(batch, endedBatch, missing, job)
    for await (const outcome of runPool(results, { getLimit: () => maxConcurrentPersists }, concludeSafely))
      if (outcome !== undefined) yield outcome
    if (missing.size > 0)
      job.listener.onWarning(
        `the results of the batch ${endedBatch.id} have no answer for ${pluralize(missing.size, 'request')}; try again later`,
      )
  } finally {
    if (settledIds.length === count) await batch.remove()
    else if (settledIds.length > 0) await batch.markSettled(settledIds)
  }
}

interface EndedItem extends Omit<BatchItemResult, 'result'> {
  readonly result: BatchResult | 'results_expired'
}

async function* fetchItems(
  { items }: StoredBatch,
  { id, createdAt }: Batch,
  missing: Map<string, BatchItem>,
  job: CollectJob,
): AsyncGenerator<EndedItem> {
  try {
    yield* holdBackAccountErrors(readResults({ id, documents: items }, missing, job))
  } catch (error) {
    if (!(error instanceof AskError) || !isNotFound(error.requestError)) throw error
    if (job.clock.wallTime() - createdAt < resultsRetentionMs)
      throw new BatchError(
        `the API has ended the batch ${id}, but does not find its results; try again later`,
        false,
      )
    yield* takeExpired(missing)
  }
}

/**
 * Holds back items refused with an error that may concern the account, until all results are read. If the API
 * answered another item of the batch, each of these errors concerns only its document.
 */
async function* holdBackAccountErrors(
  results: AsyncIterable<BatchItemResult>,
): AsyncGenerator<BatchItemResult> {
  const heldBack: { readonly answered: BatchItemResult; readonly requestError: RequestError }[] = []
  let hasAnswers = false
  for await (const answered of results) {
    const { result } = answered
    if (typeof result === 'object' && 'requestError' in result && mayConcernOneDocument(result.requestError))
      heldBack.push({ answered, requestError: result.requestError })
    else {
      hasAnswers ||= typeof result === 'object' && 'reply' in result
      yield answered
    }
  }
  for (const { answered, requestError } of heldBack)
    yield hasAnswers
      ? { ...answered, result: { requestError: { ...requestError, isDocumentSpecific: true } } }
      : answered
}

function* takeExpired(missing: Map<string, BatchItem>): Generator<EndedItem> {
  for (const [id, item] of missing) {
    missing.delete(id)
    yield { customId: id, item, result: 'results_expired' }
  }
}

/** How long the API keeps the results of a batch after its creation. */
const resultsRetentionMs = 29 * 86_400_000

interface Conclusion {
  /** Undefined if the API did not process the document; `onRequeue` then gets its outcome. */
  readonly outcome?: Outcome | undefined
  /** Whether the document is settled: it needs nothing more from this batch. */
  readonly isSafe: boolean
}

type GetChecks = (settings: AnswerSettings) => AnswerChecks

async function loadAllChecks(missing: ReadonlyMap<string, BatchItem>, job: CollectJob): Promise<GetChecks> {
  const checks = new Map<AnswerSettings, AnswerChecks>()
  for (const { asked } of missing.values())
    if (!checks.has(asked.answerSettings))
      checks.set(asked.answerSettings, await job.loadChecks(asked.answerSettings))
  return (settings) => checks.get(settings) as AnswerChecks
}

/** Returns a function that turns an answer into an outcome and persists it. */
function createConcluder(
  endedBatch: Batch,
  getChecks: GetChecks,
  {
    findSource,
    readDocument,
    onRequeue,
    onSettled,
    reservations,
    shutdown,
    listener,
    ...job
  }: CollectJob & CollectCallbacks,
): (answered: Omit<EndedItem, 'customId'>) => Promise<Conclusion> {
  const settleReservation = (path: string, cost?: Picodollars) => {
    reservations.get(path)?.(cost)
    reservations.delete(path)
  }
  const finish = async (unfinished: Outcome): Promise<Conclusion> => {
    const outcome = withFailureHint(unfinished, job.addHint)
    for (const attempt of outcome.attempts) listener.onAttempt(attempt)
    const { path } = outcome.document
    const { error: requestError, cost } = outcome.attempts.at(-1) ?? {}
    settleReservation(path, requestError !== undefined && !mayBeBilled(requestError) ? 0n : cost)
    onSettled(outcome)
    job.onOutcome?.(outcome)
    return { outcome, isSafe: (await job.persist?.(outcome)) !== false }
  }
  return async ({ item, result }) => {
    const { path, asked } = item
    const endedItem = { source: findSource(path), item, batch: endedBatch }
    const { findMismatch, checkQuality } = getChecks(asked.answerSettings)
    const outcome = toBatchOutcome(endedItem, result, job.priceOf, findMismatch)
    if ('noAnswerReason' in outcome) {
      settleReservation(path, 0n)
      if (outcome.accountError !== undefined)
        shutdown.drain(job.toRunError(new AskError(outcome.accountError)))
      onRequeue(toPendingOutcome(endedItem, outcome.noAnswerReason))
      return { isSafe: true }
    }
    if (outcome.status !== 'summarized') return finish(outcome)
    // The last check of the output file was before the request was sent, and a batch can take hours.
    const problem = await job.checkConflict?.(outcome.document, asked)
    if (problem !== undefined && unwritableTypes.has(problem.type)) {
      listener.onWarning(`${outcome.document.path} stays in the batch ${endedBatch.id}: ${problem.message}`)
      return { isSafe: false }
    }
    if (problem !== undefined && problem.type !== unchangedOutcome.type)
      return finish(toConflictOutcome(outcome, problem))
    // Reading a document again is slow, and only a short document can be copied as its own summary.
    const isShort =
      asked.answerSettings.schema === undefined &&
      asked.characters < 2 * outcome.text.length + maxPromptCharacters
    const { citations: isCited } = asked.answerSettings
    const document = isShort || isCited !== undefined ? await readDocument(item) : undefined
    const cited = isCited === undefined ? {} : citeReply(outcome.text, result, document)
    const issues = [
      ...checkQuality(outcome.text, isShort ? document?.text : undefined),
      ...(cited.isUncited ? (['uncited'] as const) : []),
    ]
    return finish({
      ...outcome,
      ...(cited.citations !== undefined && { citations: cited.citations }),
      ...(issues.length > 0 && { qualityIssues: issues }),
    })
  }
}

/**
 * Verifies the citations of a reply. Without the document, for example because it was edited while it was in the batch,
 * no passage counts as found.
 */
function citeReply(
  text: string,
  result: EndedItem['result'],
  document: Document | undefined,
): { readonly citations?: readonly Citation[]; readonly isUncited?: boolean } {
  const reported = typeof result === 'object' && 'reply' in result ? (result.reply.citations ?? []) : []
  const citations = verifyCitations(reported, toCitedText(document))
  return { citations, isUncited: hasUncitedStatement(text, citations) }
}
