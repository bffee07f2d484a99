import type { Batch, BatchItem, BatchResult } from '../../core/batch/batch.ts'
import { toBatchOutcome, toConflictOutcome, toPendingOutcome } from '../../core/batch/batch-outcome.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import type { DocumentRef } from '../../core/document/document.ts'
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
  /** Prepares the checks of answers that were requested with these settings. @throws RunError if that fails */
  readonly loadChecks: (settings: AnswerSettings) => Promise<AnswerChecks>
}

export interface CollectJob extends BatchContext, CollectOptions {
  readonly reservations: Reservations
  readonly listener: CollectListener
}

interface CollectListener {
  /** The API answered a request, with a result or an error. */
  onAttempt(attempt: Attempt): void
  /** A call failed for a reason that will pass; it is repeated after this wait. */
  onRetry(error: AskError, waitMs: number): void
  /** A batch has a problem that the user should know about. */
  onWarning(text: string): void
}

export interface CollectCallbacks {
  findSource(path: string): DocumentRef
  /** The text of a document as it was sent; undefined where that is not at hand any more. */
  readText(packed: BatchItem): Promise<string | undefined>
  /** Called, instead of a yield, for a document that the API did not do, and did not bill. */
  onRequeue(outcome: Outcome): void
  /** Called for each other document that is finished. */
  onSettled(outcome: Outcome): void
}

/** Characters of a prompt around a document; few are longer. */
const maxPromptCharacters = 5000

/** So many answers are made safe at once: the disk takes them together. */
const maxConcurrentPersists = 64

/**
 * Yields an outcome for each document of a batch that has ended and is not settled yet, each safe by then. Once all are
 * settled, the batch is forgotten. It is kept where the results have no answer for some: they may have been billed.
 * @throws AskError, BatchError where the results cannot be fetched; RunError; the reason of a stop
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
      // The answer stays in the batch; others that are finished by now must still be written.
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
        `the results of the batch ${endedBatch.id} have no answer for ${pluralize(missing.size, 'document')}; run again later`,
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
        `the API has ended the batch ${id}, but does not find its results; run again later`,
        false,
      )
    yield* takeExpired(missing)
  }
}

/**
 * Holds back requests that were refused as if for all. Where another request of the batch was answered, each concerns
 * its document alone.
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

/** Results can be fetched for this long after the batch was created. */
const resultsRetentionMs = 29 * 86_400_000

interface Conclusion {
  /** None where the document is released: the API did not do it. */
  readonly outcome?: Outcome | undefined
  /** The document needs no answer from this batch any more. */
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

/** Makes outcomes of answers. */
function createConcluder(
  endedBatch: Batch,
  getChecks: GetChecks,
  {
    findSource,
    readText,
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
    // The file that the summary belongs in was last looked at before the request was sent.
    const problem = await job.checkConflict?.(outcome.document, asked)
    if (problem !== undefined && unwritableTypes.has(problem.type)) {
      listener.onWarning(`${outcome.document.path} stays in the batch ${endedBatch.id}: ${problem.message}`)
      return { isSafe: false }
    }
    if (problem !== undefined && problem.type !== unchangedOutcome.type)
      return finish(toConflictOutcome(outcome, problem))
    // Reading a document again takes long, and only a short one can be copied.
    const isShort =
      asked.answerSettings.schema === undefined &&
      asked.characters < 2 * outcome.text.length + maxPromptCharacters
    const issues = checkQuality(outcome.text, isShort ? await readText(item) : undefined)
    return finish(issues.length > 0 ? { ...outcome, qualityIssues: issues } : outcome)
  }
}
