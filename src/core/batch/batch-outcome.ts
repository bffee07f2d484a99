import type { InputProblem, Source } from '../document/document.ts'
import { judge } from '../errors/classify-error.ts'
import { failureOf } from '../errors/failure.ts'
import type { Fault } from '../errors/request-error.ts'
import { type PriceOf, pricesWith } from '../pricing/price.ts'
import type { AnswerChecks } from '../request/answer-settings.ts'
import type { Attempt } from '../request/attempt.ts'
import { flawOf, misfit } from '../request/reply.ts'
import type { Failed, Outcome } from '../run/outcome.ts'
import type { Batch, BatchResult, Packed, UnreadableResult } from './batch.ts'

/** A document of a batch that has ended. */
export interface InBatch {
  readonly source: Source
  readonly packed: Packed
  readonly batch: Pick<Batch, 'id' | 'created' | 'ended'>
}

/** No answer, and no bill: to be asked about again; with the fault, where every request would meet the same. */
export interface Unanswered {
  readonly why: string
  readonly refused?: Fault
}

/** What became of a document, from what became of its request; `gone` where the API has no results any more. */
export function outcomeInBatch(
  it: InBatch,
  result: BatchResult | 'gone',
  priceOf: PriceOf,
  flawIn: AnswerChecks['flaw'],
): Outcome | Unanswered {
  const { packed, batch } = it
  if (result === 'gone') return outcomeGone(it)
  if (result === 'canceled' || result === 'expired') return { why: `${result} in the batch ${batch.id}` }
  if ('unreadable' in result) return outcomeUnreadable(it, result)
  if ('fault' in result) {
    const { fault } = result
    const { blame } = judge(fault)
    if (blame === 'service') return { why: `${fault.type} in the batch ${batch.id}` }
    if (blame === 'run') return { why: fault.message, refused: fault }
    return { ...base(it, { fault }), status: 'failed', failure: failureOf(fault) }
  }
  const { text, model, usage, terms } = result.reply
  const asked = packed.asked.facts.model
  const { maxTokens, price } = packed.asked.settings
  const priceFor = price === undefined ? priceOf : pricesWith({ [asked]: price })
  const cost = usage && priceFor({ model, asked, usage, ...(terms && { terms }) })
  const answered = base(it, {
    model,
    status: 200,
    ...(usage !== undefined && { usage }),
    ...(cost !== undefined && { cost }),
  })
  const incomplete = flawOf(result.reply, maxTokens)
  const why = incomplete === undefined ? flawIn(text) : undefined
  const flaw = why === undefined ? incomplete : misfit(why)
  if (flaw !== undefined) return { ...answered, status: 'failed', failure: flaw, partial: text }
  return { ...answered, status: 'summarized', text }
}

/** A summary whose place was taken while it was made: it goes into the error record instead. */
export function displaced(
  outcome: Extract<Outcome, { status: 'summarized' }>,
  { as, type, message: problem }: InputProblem,
): Outcome {
  const { text, ...rest } = outcome
  const message =
    as === 'fail' ? problem : 'its summary was edited by hand while a new one was made; --force replaces it'
  const failure = { kind: 'output', type, message, transient: false } as const
  return { ...rest, status: 'failed', failure, partial: text }
}

/** A document whose answer is gone with the batch's results: it may have been billed. */
function outcomeGone(it: InBatch): Outcome {
  const message = `the results of the batch ${it.batch.id} are gone, 29 days after it was made; the next run asks, and pays, again`
  return lost(it, { kind: 'malformed', type: 'results_gone', message })
}

/** A document whose answer is among the results and cannot be read: it may have been billed. */
function outcomeUnreadable(it: InBatch, { unreadable, line }: UnreadableResult): Outcome {
  const message = `${unreadable} (batch ${it.batch.id}); the next run sends the document, and pays, again`
  return { ...lost(it, { kind: 'malformed', type: 'batch_result_unreadable', message }), partial: line }
}

function lost(it: InBatch, fault: Fault): Failed {
  const { type, message } = fault
  const failure = { kind: 'reply', type, message, transient: false } as const
  return { ...base(it, { fault }), status: 'failed', failure }
}

/** A document that is to be asked about again. */
export function pendingInBatch({ source, packed, batch }: InBatch, reason: string): Outcome {
  return {
    source,
    asked: packed.asked,
    attempts: [],
    elapsedMs: durationOf(batch),
    status: 'pending',
    reason,
    later: true,
  }
}

function base({ source, packed, batch }: InBatch, answer: Partial<Attempt>) {
  const { id, created } = batch
  const elapsedMs = durationOf(batch)
  const attempt: Attempt = {
    path: packed.path,
    attempt: 1,
    at: created,
    elapsedMs,
    model: packed.asked.facts.model,
    batch: id,
    ...(answer.fault?.status !== undefined && { status: answer.fault.status }),
    ...answer,
  }
  return { source, asked: packed.asked, attempts: [attempt], elapsedMs }
}

/** Milliseconds, by the clock of the service, which may have been set in the meantime; 0 where it has no end. */
function durationOf({ created, ended = created }: InBatch['batch']): number {
  return ended > created ? ended - created : 0
}
