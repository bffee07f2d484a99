import { type ChunkPlan, dedupeRequests } from '../core/chunking/chunk-plan.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import type { Failure } from '../core/errors/failure.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { findReplyFailure, type Reply } from '../core/request/reply.ts'
import type { Request } from '../core/request/request.ts'

/** What a document in parts came to. */
export type MapReduceResult =
  | { readonly reply: Reply; readonly maxTokens: number; readonly attempts: readonly Attempt[] }
  /** A part of it gave no text to go on with. */
  | { readonly failure: Failure; readonly partialText: string; readonly attempts: readonly Attempt[] }

/**
 * Sends all chunks of a document at the same time, as far as permits allow, then reduces their replies, level by
 * level, until one is left. A chunk that the document repeats is asked about once. When one fails, the others in flight
 * are waited for: they are paid, and kept for the next time.
 * @param askChunk remembers earlier answers; the last request, which is for the whole document, does not go through it
 * @throws what asking throws, with the attempts of all requests in it
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
    for (const it of settled) attempts.push(...getAttempts(it))
    const firstRejection = settled.find(({ status }) => status === 'rejected') as
      | PromiseRejectedResult
      | undefined
    if (firstRejection !== undefined) throw attachAttempts(firstRejection.reason, attempts)
    const replies = settled.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []))
    const replyByHash = new Map(distinct.map(({ hash: key }, n) => [key, replies[n]]))
    return requests.map(({ hash: key }) => replyByHash.get(key) as Reply)
  }

  let requests = chunkPlan.requests
  while (true) {
    const replies = await runLevel(requests)
    for (const [n, reply] of replies.entries()) {
      const failure = findReplyFailure(reply, requests[n]?.maxTokens ?? 0)
      if (failure === undefined) continue
      const message = `chunk ${n + 1} of ${replies.length}: ${failure.message}`
      return { failure: { ...failure, message }, partialText: reply.text, attempts }
    }
    requests = chunkPlan.reduce(replies.map(({ text }) => text))
    const [last, ...more] = requests
    if (last === undefined || more.length > 0) continue
    try {
      const reply = await ask(last, signal)
      return { reply, maxTokens: last.maxTokens, attempts: [...attempts, ...reply.attempts] }
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
  if (error instanceof AskError) return new AskError(error.requestError, attempts)
  const cause = error instanceof StoppedError ? error.cause : error
  return attempts.length === 0 ? cause : new StoppedError(cause as Error, attempts)
}
