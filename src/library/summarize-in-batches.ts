import type { Document } from '../core/document/document.ts'
import { BatchError } from '../core/errors/run-error.ts'
import type { AnswerSettings } from '../core/request/answer-settings.ts'
import { hashSettings } from '../core/request/request-hash.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { createPendingOutcome } from '../engine/batch/open-batches.ts'
import { runBatches } from '../engine/batch/run-batches.ts'
import { buildDocumentRequest, toOutcomeWithoutRequest } from '../engine/prepare.ts'
import { copyOutcome } from '../engine/share-requests.ts'
import { type SummarizeJob, summarizeDocuments } from '../engine/summarize-documents.ts'
import { openBatchesInStore } from './batches-in-store.ts'
import type { Connection } from './create-connection.ts'
import { createAnswerReader } from './schema-data.ts'
import type { CheckedStore } from './store.ts'
import type { TextRequests } from './text-requests.ts'
import type { TextSource } from './text-source.ts'

/** How texts become outcomes. */
type TextJob = Omit<SummarizeJob<TextSource>, 'traceDocument'>

export interface BatchOptions {
  readonly connection: Connection
  readonly store: CheckedStore
  readonly requests: TextRequests
  /** Whether the call waits until its batches have ended. */
  readonly wait: boolean
}

/** A request, the document that it is about, and the texts that ask for it. */
interface Question {
  readonly document: Document
  readonly texts: TextSource[]
}

/**
 * Yields one outcome for each text, as `summarizeDocuments` does, from Message Batches. It takes all texts first. The
 * batches know a text by the hash of its request, because ids of texts may repeat and mean other texts in the next call.
 * So equal texts share one request.
 */
export async function* summarizeInBatches(job: TextJob, options: BatchOptions): AsyncGenerator<Outcome> {
  const { storesInUse } = options.connection
  const { original } = options.store
  if (storesInUse.has(original))
    throw new BatchError(
      'another call uses this store for batches; wait for its end, or use another store',
      true,
    )
  storesInUse.add(original)
  try {
    yield* runStoredBatches(job, options)
  } finally {
    storesInUse.delete(original)
  }
}

async function* runStoredBatches(
  { sources, ...job }: TextJob,
  { connection, store, requests, wait }: BatchOptions,
): AsyncGenerator<Outcome> {
  const { clock } = job
  // These may fail, and do so before a text is taken.
  const { baseUrl, batches: batchApi } = await connection.openBatchApi()
  const batchStore = await openBatchesInStore(store, { baseUrl, clock })
  const settings = createBatchSettings(requests)
  const { settingsHash } = settings.provenance
  const proven = await createProvenSettings(settingsHash, store)
  const questions = new Map<string, Question>()
  const persist = async (outcome: Outcome): Promise<boolean> => {
    const isSaved = await job.persist?.(outcome)
    await proven.observe(outcome)
    return isSaved !== false
  }
  const readDocument = async ({ path }: { readonly path: string }) =>
    (questions.get(path) as Question).document
  const documentJob = { ...job, read: readDocument, persist }
  const runQuestions = () =>
    runBatches({
      ...documentJob,
      sources: [...questions.keys()].map((path, index) => ({ index, path, namedByUser: true })),
      store: batchStore,
      endpoint: baseUrl,
      batchApi,
      priceOf: connection.priceOf,
      random: connection.random,
      retries: connection.retries,
      reservations: connection.reservations,
      shouldWait: wait,
      isDetached: !wait,
      async loadChecks({ schema }) {
        const { findMismatch } = await createAnswerReader(schema, 'the schema that is stored with a batch')
        return { findMismatch, checkQuality: () => [] }
      },
      sending: {
        runLive: (sources) => summarizeDocuments({ ...documentJob, sources }),
        batches: {
          ...documentJob,
          getItemSettings: () => settings,
          maxBatchSize,
          budget: connection.budget,
          hasSucceededBefore: proven.has,
        },
      },
      listener: {
        onAttempt: connection.recordAttempt,
        onCollectError: ({ message }) => connection.warn(message),
        onWarning: connection.warn,
        onRetry() {},
        onCanary() {},
        onSubmitted() {},
        onUnfinished() {},
        onWaiting() {},
      },
    })
  try {
    for await (const source of sources) {
      const outcome = await addText(source, job, questions)
      if (outcome !== undefined) yield outcome
    }
    for await (const outcome of runQuestions()) {
      const { path } = outcome.document
      const [first, ...others] = questions.get(path)?.texts ?? []
      // A text of an earlier call: its result is in the store.
      if (first === undefined) continue
      questions.delete(path)
      yield { ...outcome, document: first }
      for (const text of others) yield copyFor(text, outcome)
    }
  } catch (error) {
    for (const { texts } of questions.values())
      for (const text of texts) yield createPendingOutcome(text, 'the call ended with an error')
    throw error
  }
}

/** The size of a batch in a store, whose value must not become too long: 10,000 texts take 4 MB. */
const maxBatchSize = { items: 10_000, bytes: 64_000_000 } as const

/** Adds a text to the question that it asks. Returns an outcome if it asks none. */
async function addText(
  source: TextSource,
  job: Omit<TextJob, 'sources'>,
  questions: Map<string, Question>,
): Promise<Outcome | undefined> {
  const startMs = job.clock.now()
  const document = await job.read(source)
  const prepared = await buildDocumentRequest(source, { ...job, read: async () => document })
  if ('problem' in prepared) {
    const elapsedMs = job.clock.now() - startMs
    return toOutcomeWithoutRequest(prepared, { document: source, attempts: [], elapsedMs })
  }
  const { requestHash } = prepared.asked
  const known = questions.get(requestHash)
  if (known !== undefined) known.texts.push(source)
  else if (!('action' in document)) questions.set(requestHash, { document, texts: [source] })
  return undefined
}

/** Returns what a batch stores about each request. */
function createBatchSettings({ prompt, model, maxTokens, build }: TextRequests) {
  const { name, version, schema, citations } = prompt
  const answerSettings: AnswerSettings = {
    maxTokens,
    frontMatter: false,
    ...(schema && { schema }),
    ...(citations && ({ citations: 'hidden' } as const)),
  }
  const provenance = { prompt: `${name}@${version}`, model, settingsHash: hashSettings(build) }
  return { provenance, answerSettings }
}

/** Whether the API has answered a request with these settings, so that no canary request is needed. */
async function createProvenSettings(settingsHash: string, store: CheckedStore) {
  const key = `settings/${settingsHash}`
  let isProven = (await store.get(key)) !== undefined
  return {
    has: () => isProven,
    async observe({ attempts }: Outcome): Promise<void> {
      const last = attempts.at(-1)
      if (isProven || last === undefined || last.error !== undefined) return
      isProven = true
      // Without this value, the next call sends a canary request.
      await store.set(key, 'answered').catch(() => {})
    },
  }
}

/** Returns the outcome of another text with the same request, which costs nothing more. */
function copyFor(document: TextSource, outcome: Outcome): Outcome {
  const { requestMetadata, elapsedMs } = outcome
  const base = { document, attempts: [], elapsedMs }
  const copied = requestMetadata && copyOutcome(outcome, requestMetadata, base)
  return copied ?? { ...outcome, ...base }
}
