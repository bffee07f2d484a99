import { type ChunkPlan, dedupeRequests } from '../core/chunking/chunk-plan.ts'
import type { Document, DocumentRef, InputProblem } from '../core/document/document.ts'
import type { ReusableSummary } from '../core/document/reusable-summary.ts'
import { countPromptCharacters, type Request } from '../core/request/request.ts'
import type { Outcome, RequestMetadata } from '../core/run/outcome.ts'
import { detectTextKind } from '../core/text/text-kind.ts'

/** The functions that turn a document reference into a request. */
export interface PrepareOptions<Given extends DocumentRef = DocumentRef> {
  /**
   * Reads one document. It is called only for open documents, which bounds the memory that documents take.
   */
  readonly read: (source: Given) => Promise<Document | InputProblem>
  readonly buildRequest: (document: Document) => Request
  /**
   * Plans the chunks of a document that does not fit into one request; undefined if it fits. Default: all
   * fit.
   */
  readonly planChunks?: (document: Document) => Promise<ChunkPlan | InputProblem | undefined>
  /**
   * Returns the result that makes the request unnecessary, if there is one: a summary of another document to reuse, or a
   * failure that would repeat.
   */
  readonly findEarlierResult?: (
    source: DocumentRef,
    asked: RequestMetadata,
  ) => Promise<InputProblem | ReusableSummary | undefined>
  /**
   * Returns the reason not to send a document, if any: its summary is up to date, or the output file was not
   * written by claude-batch.
   */
  readonly checkConflict?: (source: DocumentRef, asked: RequestMetadata) => Promise<InputProblem | undefined>
}

/** The requests for a document: one, or a plan of several. */
export type PreparedRequest = ({ readonly request: Request } | { readonly chunkPlan: ChunkPlan }) & {
  readonly asked: RequestMetadata
  readonly document: Document
}

/** The reason why nothing is sent. */
export interface NothingToSend {
  readonly problem: InputProblem | ReusableSummary
  readonly kind: 'input' | 'output'
  readonly asked?: RequestMetadata
}

/** Reads a document and builds its request, and looks for a reason not to send it. */
export async function prepare<Given extends DocumentRef>(
  source: Given,
  options: PrepareOptions<Given>,
): Promise<PreparedRequest | NothingToSend> {
  const prepared = await buildDocumentRequest(source, options)
  if ('problem' in prepared) return prepared
  return (await findReasonNotToSend(source, prepared.asked, options)) ?? prepared
}

/** Reads a document and builds its request. */
export async function buildDocumentRequest<Given extends DocumentRef>(
  source: Given,
  { read, buildRequest, planChunks }: Pick<PrepareOptions<Given>, 'read' | 'buildRequest' | 'planChunks'>,
): Promise<PreparedRequest | (NothingToSend & { readonly problem: InputProblem })> {
  const document = source.problem ?? (await read(source))
  if ('action' in document) return { problem: document, kind: 'input' }
  const chunkPlan = await planChunks?.(document)
  if (chunkPlan !== undefined && 'action' in chunkPlan) return { problem: chunkPlan, kind: 'input' }
  const question = chunkPlan === undefined ? { request: buildRequest(document) } : { chunkPlan }
  return { ...question, asked: describeRequest(question, document), document }
}

/** Returns why a request is not sent; undefined if it is. */
export async function findReasonNotToSend(
  source: DocumentRef,
  asked: RequestMetadata,
  { findEarlierResult, checkConflict }: Pick<PrepareOptions, 'findEarlierResult' | 'checkConflict'>,
): Promise<NothingToSend | undefined> {
  const problem = (await findEarlierResult?.(source, asked)) ?? (await checkConflict?.(source, asked))
  return problem && { problem, kind: 'output', asked }
}

function describeRequest(
  question: { readonly request: Request } | { readonly chunkPlan: ChunkPlan },
  { ref: source, text, fingerprint }: Document,
): RequestMetadata {
  const kind = detectTextKind(source.path, text)
  if ('request' in question) {
    const { request } = question
    return { requestHash: request.hash, fingerprint, characters: countPromptCharacters(request), kind }
  }
  const { requestHash: key, requests } = question.chunkPlan
  const distinct = dedupeRequests(requests)
  const characters = distinct.reduce((sum, request) => sum + countPromptCharacters(request), 0)
  return { requestHash: key, fingerprint, characters, kind, chunks: distinct.length }
}

/** Returns the outcome of a document for which nothing was sent. */
export function toOutcomeWithoutRequest(
  { problem, kind, asked }: NothingToSend,
  base: Pick<Outcome, 'document' | 'requestMetadata' | 'attempts' | 'elapsedMs'>,
): Outcome {
  if (problem.action === 'reuse') {
    if (asked === undefined) throw new Error('a summary is reused for a request')
    const { text, citations, qualityIssues, from } = problem
    return {
      ...base,
      requestMetadata: asked,
      status: 'summarized',
      text,
      reusedFrom: from,
      ...(citations !== undefined && { citations }),
      ...(qualityIssues !== undefined && { qualityIssues }),
    }
  }
  const { action, type, message, partialText } = problem
  if (action === 'skip') return { ...base, status: 'skipped', type, reason: message }
  return {
    ...base,
    status: 'failed',
    failure: { kind: problem.kind ?? kind, type, message, transient: false },
    ...(partialText !== undefined && { partialText }),
    ...(problem.kind !== undefined && { isRepeated: true }),
  }
}
