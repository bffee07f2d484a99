import { type ChunkPlan, dedupeRequests, type ReduceRequest } from '../core/chunking/chunk-plan.ts'
import type { Citation } from '../core/citations/citation.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import type { Failure } from '../core/errors/failure.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { findReplyFailure, type Reply } from '../core/request/reply.ts'
import type { Request } from '../core/request/request.ts'

/** The result of a document that was split into chunks. */
export type MapReduceResult =
  | {
      readonly reply: Reply
      /** The passages of the document that support the reply. */
      readonly citations: readonly Citation[]
      readonly maxTokens: number
      readonly attempts: readonly Attempt[]
    }
  /** A chunk failed, so the document has no summary. */
  | { readonly failure: Failure; readonly partialText: string; readonly attempts: readonly Attempt[] }

/**
 * Sends all chunks of a document at the same time, as far as permits allow. Then it reduces their replies,
 * level by level, until one is left. Equal chunks are sent once. If a chunk fails, the others in flight are
 * still awaited: they are billed, and the chunk cache keeps them for the next run.
 * @param askChunk sends chunks through the chunk cache; the last request, for the whole document, uses `ask`
 * @throws what `ask` or `askChunk` throws, with the attempts of all requests of the document
 */
export async function mapReduce(
  chunkPlan: ChunkPlan,
  { ask, askChunk }: { readonly ask: Ask; readonly askChunk: Ask },
  signal: AbortSignal,
): Promise<MapReduceResult> {
  const attempts: Attempt[] = []
  const runLevel = async (requests: readonly Request[]) => {
    const distinct = dedupeRequests(requests)
    const settled = await Promise.allSettled(distinct.map((request) => askChunk(request, signal)))
    for (const result of settled) attempts.push(...getAttempts(result))
    const firstRejection = settled.find(({ status }) => status === 'rejected') as
      | PromiseRejectedResult
      | undefined
    if (firstRejection !== undefined) throw attachAttempts(firstRejection.reason, attempts)
    const replies = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const replyByHash = new Map(distinct.map(({ hash: key }, n) => [key, replies[n]]))
    return requests.map(({ hash: key }) => replyByHash.get(key) as Reply)
  }

  let level: readonly ReduceRequest[] = chunkPlan.requests.map((request, n) => ({
    request,
    cite: (citations) => chunkPlan.cite(n, citations),
  }))
  while (true) {
    const replies = await runLevel(level.map(({ request }) => request))
    for (const [n, reply] of replies.entries()) {
      const failure = findReplyFailure(reply, level[n]?.request.maxTokens ?? 0)
      if (failure === undefined) continue
      const message = `chunk ${n + 1} of ${replies.length}: ${failure.message}`
      return { failure: { ...failure, message }, partialText: reply.text, attempts }
    }
    const notes = replies.map(({ text, citations = [] }, n) => ({
      text,
      citations: level[n]?.cite(citations) ?? [],
    }))
    level = chunkPlan.reduce(notes)
    const [last, ...more] = level
    if (last === undefined || more.length > 0) continue
    const { request, cite } = last
    try {
      const reply = await ask(request, signal)
      const { maxTokens } = request
      const citations = cite(reply.citations ?? [])
      return { reply, citations, maxTokens, attempts: [...attempts, ...reply.attempts] }
    } catch (error) {
      throw attachAttempts(error, [...attempts, ...getErrorAttempts(error)])
    }
  }
}

function getAttempts(settled: PromiseSettledResult<Reply>): readonly Attempt[] {
  return settled.status === 'fulfilled' ? settled.value.attempts : getErrorAttempts(settled.reason)
}

function getErrorAttempts(error: unknown): readonly Attempt[] {
  return error instanceof AskError || error instanceof StoppedError ? error.attempts : []
}

function attachAttempts(error: unknown, attempts: readonly Attempt[]): unknown {
  if (error instanceof AskError) return error.with({ attempts })
  const cause = error instanceof StoppedError ? error.cause : error
  return attempts.length === 0 ? cause : new StoppedError(cause as Error, attempts)
}
