import { type ChunkPlan, dedupeRequests } from '../core/chunking/chunk-plan.ts'
import type { Document, DocumentRef, InputProblem } from '../core/document/document.ts'
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
   * Returns the reason not to send a document, if any: its summary is up to date, or the output file was not
   * written by claude-batch.
   */
  readonly checkConflict?: (source: DocumentRef, asked: RequestMetadata) => Promise<InputProblem | undefined>
}

/** A request or a chunk plan, or the reason why nothing is sent. */
export type Prepared =
  | { readonly request: Request; readonly asked: RequestMetadata; readonly text: string }
  | { readonly chunkPlan: ChunkPlan; readonly asked: RequestMetadata; readonly text: string }
  | { readonly problem: InputProblem; readonly kind: 'input' | 'output'; readonly asked?: RequestMetadata }

export async function prepare<Given extends DocumentRef>(
  source: Given,
  { read, buildRequest, planChunks, checkConflict }: PrepareOptions<Given>,
): Promise<Prepared> {
  const document = source.problem ?? (await read(source))
  if ('action' in document) return { problem: document, kind: 'input' }
  const chunkPlan = await planChunks?.(document)
  if (chunkPlan !== undefined && 'action' in chunkPlan) return { problem: chunkPlan, kind: 'input' }
  const question = chunkPlan === undefined ? { request: buildRequest(document) } : { chunkPlan }
  const asked = describeRequest(question, document)
  const problem = await checkConflict?.(source, asked)
  return problem === undefined
    ? { ...question, asked, text: document.text }
    : { problem, kind: 'output', asked }
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
  { problem: { action, type, message }, kind }: Extract<Prepared, { problem: InputProblem }>,
  base: Pick<Outcome, 'document' | 'requestMetadata' | 'attempts' | 'elapsedMs'>,
): Outcome {
  if (action === 'skip') return { ...base, status: 'skipped', type, reason: message }
  return { ...base, status: 'failed', failure: { kind, type, message, transient: false } }
}
