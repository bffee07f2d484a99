import { distinctRequests, type Parts } from '../core/chunking/chunk-plan.ts'
import type { Document, InputProblem, Source } from '../core/document/document.ts'
import { lengthOf, type Request } from '../core/request/request.ts'
import type { Asked, Outcome } from '../core/run/outcome.ts'
import { textKind } from '../core/text/text-kind.ts'

/** What turns a source into a question. */
export interface Preparing<Given extends Source = Source> {
  /** Reads one source; called inside its slot, so that never more than a pool of documents is in memory. */
  readonly read: (source: Given) => Promise<Document | InputProblem>
  readonly requestFor: (document: Document) => Request
  /** How a document is asked about that one request does not hold; all are held, if it is left out. */
  readonly partsOf?: (document: Document) => Promise<Parts | InputProblem | undefined>
  /** What speaks against asking, if anything does: a summary that is there already, or one that is not ours. */
  readonly objection?: (source: Source, asked: Asked) => Promise<InputProblem | undefined>
}

/** A question, or why there is none. */
export type Prepared =
  | { readonly request: Request; readonly asked: Asked; readonly text: string }
  | { readonly parts: Parts; readonly asked: Asked; readonly text: string }
  | { readonly problem: InputProblem; readonly kind: 'input' | 'output'; readonly asked?: Asked }

export async function prepare<Given extends Source>(
  source: Given,
  { read, requestFor, partsOf, objection }: Preparing<Given>,
): Promise<Prepared> {
  const document = source.problem ?? (await read(source))
  if ('as' in document) return { problem: document, kind: 'input' }
  const parts = await partsOf?.(document)
  if (parts !== undefined && 'as' in parts) return { problem: parts, kind: 'input' }
  const question = parts === undefined ? { request: requestFor(document) } : { parts }
  const asked = askedOf(question, document)
  const problem = await objection?.(source, asked)
  return problem === undefined
    ? { ...question, asked, text: document.text }
    : { problem, kind: 'output', asked }
}

function askedOf(
  question: { readonly request: Request } | { readonly parts: Parts },
  { source, text, bytes }: Document,
): Asked {
  const kind = textKind(source.path, text)
  if ('request' in question) {
    const { request } = question
    return { key: request.key, bytes, characters: lengthOf(request), kind }
  }
  const { key, requests } = question.parts
  const distinct = distinctRequests(requests)
  const characters = distinct.reduce((sum, request) => sum + lengthOf(request), 0)
  return { key, bytes, characters, kind, chunks: distinct.length }
}

/** What an outcome is when nothing was sent. */
export function declined(
  { problem: { as, type, message }, kind }: Extract<Prepared, { problem: InputProblem }>,
  base: Pick<Outcome, 'source' | 'asked' | 'attempts' | 'elapsedMs'>,
): Outcome {
  if (as === 'skip') return { ...base, status: 'skipped', type, reason: message }
  return { ...base, status: 'failed', failure: { kind, type, message, transient: false } }
}
