import type { SummarizeOptions } from '../config/flags.ts'
import type { Batches } from '../core/batch/batch-api.ts'
import { isBetterInBatch } from '../core/batch/choose-mode.ts'
import type { Source } from '../core/document/document.ts'
import { failureLine, failureOf } from '../core/errors/failure.ts'
import type { AnswerChecks, AnswerSettings } from '../core/request/answer-settings.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { duration } from '../core/text/format-duration.ts'
import { manyOf, whole } from '../core/text/format-number.ts'
import type { BatchJob } from '../engine/batch/run-batches.ts'
import { type Job, summarizeAll } from '../engine/summarize-documents.ts'
import { RunError, UsageError } from '../errors.ts'
import type { World } from '../runtime.ts'
import type { AttemptLog } from '../sinks/request-log.ts'
import type { Watched } from './instrument.ts'
import type { Destination } from './output.ts'
import type { Money } from './pricing.ts'
import type { Asking } from './request-builder.ts'

export interface BatchedOptions {
  readonly options: Pick<SummarizeOptions, 'detach' | 'retries' | 'frontMatter' | 'force' | 'prices'>
  readonly world: World
  readonly endpoint: string
  readonly asking: Pick<Asking, 'factsFor' | 'answersFor'>
  readonly destination: Destination
  readonly money: Money
  readonly batches: Batches
  readonly run: Watched
  /** See {@link batchAll}. */
  readonly waits: boolean
  readonly submits: boolean
  /** Whether the rest of a live run may go into a batch. */
  readonly movesOn: boolean
  /** See {@link batchAll}; all, if left out. */
  readonly offered?: BatchJob['offered']
  /** When the run began, by the clock: milliseconds. */
  readonly start: number
  readonly log: AttemptLog | undefined
}

/** Outcomes of a run that makes batches, or finds some that earlier ones made; see {@link batchAll}. */
export async function* batchedOutcomes(
  job: Omit<Job, 'sources'> & { readonly sources: readonly Source[] },
  {
    options,
    world,
    endpoint,
    asking,
    destination,
    money,
    batches,
    run,
    log,
    waits,
    submits,
    movesOn,
    offered,
    start,
  }: BatchedOptions,
): AsyncGenerator<Outcome> {
  const { clock, random } = world
  const { teller, tally } = run
  const { keep, batches: store, isProven = () => false } = destination
  if (store === undefined || keep === undefined) throw new Error('batches need an output folder')
  const { batchAll } = await import('../engine/batch/run-batches.ts')
  yield* batchAll({
    ...job,
    ...money,
    keep,
    batches,
    store,
    endpoint,
    random,
    retries: options.retries,
    aside: new Map(),
    factsFor: asking.factsFor,
    settingsFor: settingsFor(asking, options, clock.wall()),
    checksFor,
    live: (sources) => summarizeAll({ ...job, keep, sources }),
    submits,
    ...(offered !== undefined && { offered }),
    ...(movesOn && {
      movesOn(left: number) {
        const { summarized, failed } = tally.standing().documents
        return isBetterInBatch(summarized + failed, left, clock.now() - start)
      },
    }),
    waits,
    detached: options.detach,
    isProven: ({ path }) => isProven(path),
    wayOf: ({ path }) => asking.factsFor(path).recipe,
    listener: {
      answered(attempt) {
        tally.attempt(attempt)
        log?.attempt(attempt)
      },
      troubled({ fault }, waitMs) {
        if (waitMs >= worthTelling)
          teller.note(`batches: ${failureLine(failureOf(fault))}; again in ${duration(waitMs)}`)
      },
      odd: teller.note,
      elsewhere: ({ id, intent, documents, endpoint }) =>
        teller.note(
          `the batch ${id ?? intent}, of ${countOf(documents.size)}, is at ${endpoint}, which this run does not ask: left alone`,
        ),
      movedOn: (count) =>
        teller.note(
          `at this pace it would take longer than a batch: the other ${countOf(count)} go into one`,
        ),
      submitted({ id, intent, documents }, { bytes }) {
        const size = `${countOf(documents.size)}, ${(bytes / 1e6).toFixed(1)} MB`
        const where = options.detach
          ? '; the same command, or claude-batch batches collect, fetches the summaries'
          : ''
        teller.note(`batch ${id ?? intent} is made: ${size}${where}`)
      },
      left(batches) {
        const count = batches.reduce((sum, { documents }) => sum + documents.size, 0)
        const text = `${countOf(count)} ${count === 1 ? 'is' : 'are'} still in ${inBatches(batches)} at the service, which goes on; the same command, or claude-batch batches collect, fetches ${count === 1 ? 'it' : 'them'}`
        // Whoever left them on purpose has been told.
        if (!options.detach) world.stderr.write(`claude-batch: ${text}\n`)
      },
      waiting(waitingFor) {
        const start = clock.now()
        const count = waitingFor.reduce((sum, { documents }) => sum + documents.size, 0)
        teller.waitsFor(
          count === 0
            ? undefined
            : () =>
                `${whole(count)} in ${inBatches(waitingFor)}${roughly(clock.now() - start)}, not counted before its end`,
        )
      },
    },
  })
}

/**
 * Adds what the options decide about answers to what the prompt decides.
 * @param now milliseconds since 1970
 * @returns one object for all documents that have the same settings
 */
function settingsFor(
  { answersFor, factsFor }: BatchedOptions['asking'],
  { frontMatter, force, prices = {} }: BatchedOptions['options'],
  now: number,
): (path: string) => AnswerSettings {
  const known = new Map<object, AnswerSettings>()
  return (path) => {
    const answers = answersFor(path)
    const { model } = factsFor(path)
    const price = Object.hasOwn(prices, model) ? prices[model] : undefined
    const settings = known.get(answers) ?? {
      ...answers,
      frontMatter,
      ...(force && { replacesBefore: now }),
      ...(price !== undefined && { price }),
    }
    known.set(answers, settings)
    return settings
  }
}

/** The settings may come from a batch's file. @throws RunError `io` */
async function checksFor(settings: AnswerSettings): Promise<AnswerChecks> {
  const { answerChecks } = await import('../inputs/prompts/answer-checks.ts')
  const where = 'the schema that is stored with a batch'
  return answerChecks(settings, where).catch((error: unknown) => {
    throw error instanceof UsageError ? new RunError('io', error.message) : error
  })
}

/** A shorter wait is over before anybody wonders: milliseconds. */
const worthTelling = 5000

function countOf(documents: number): string {
  return manyOf(documents, 'document')
}

function inBatches({ length }: readonly unknown[]): string {
  return length === 1 ? 'a batch' : `${length} batches`
}

/** Changes so seldom that a log of it stays short. */
function roughly(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  return minutes < 1 ? '' : ` for ${minutes < 10 ? minutes : Math.floor(minutes / 10) * 10} min`
}
