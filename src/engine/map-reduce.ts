import { distinctRequests, type Parts } from '../core/chunking/chunk-plan.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import type { Failure } from '../core/errors/failure.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { flawOf, type Reply } from '../core/request/reply.ts'
import type { Request } from '../core/request/request.ts'

/** What a document in parts came to. */
export type InParts =
  | { readonly reply: Reply; readonly maxTokens: number; readonly attempts: readonly Attempt[] }
  /** A part of it gave no text to go on with. */
  | { readonly flaw: Failure; readonly partial: string; readonly attempts: readonly Attempt[] }

/**
 * Asks about all chunks of a document at the same time, as far as there are slots, then about their answers, level by
 * level, until one is left. A chunk that the document repeats is asked about once. When one fails, the others in flight
 * are waited for: they are paid, and kept for the next time.
 * @param askPart remembers earlier answers; the last request, which is for the whole document, does not go through it
 * @throws what asking throws, with the attempts of all requests in it
 */
export async function askInParts(
  parts: Parts,
  { ask, askPart }: { readonly ask: Ask; readonly askPart: Ask },
  signal: AbortSignal,
): Promise<InParts> {
  const attempts: Attempt[] = []
  const level = async (requests: readonly Request[]) => {
    const distinct = distinctRequests(requests)
    const settled = await Promise.allSettled(distinct.map((request) => askPart(request, signal)))
    for (const it of settled) attempts.push(...attemptsOf(it))
    const failed = settled.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
    if (failed !== undefined) throw withAll(failed.reason, attempts)
    const replies = settled.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []))
    const byKey = new Map(distinct.map(({ key }, n) => [key, replies[n]]))
    return requests.map(({ key }) => byKey.get(key) as Reply)
  }

  let requests = parts.requests
  while (true) {
    const replies = await level(requests)
    for (const [n, reply] of replies.entries()) {
      const flaw = flawOf(reply, requests[n]?.maxTokens ?? 0)
      if (flaw === undefined) continue
      const message = `part ${n + 1} of ${replies.length}: ${flaw.message}`
      return { flaw: { ...flaw, message }, partial: reply.text, attempts }
    }
    requests = parts.merge(replies.map(({ text }) => text))
    const [last, ...more] = requests
    if (last === undefined || more.length > 0) continue
    try {
      const reply = await ask(last, signal)
      return { reply, maxTokens: last.maxTokens, attempts: [...attempts, ...reply.attempts] }
    } catch (error) {
      throw withAll(error, [...attempts, ...attemptsIn(error)])
    }
  }
}

function attemptsOf(settled: PromiseSettledResult<Reply>): readonly Attempt[] {
  return settled.status === 'fulfilled' ? settled.value.attempts : attemptsIn(settled.reason)
}

function attemptsIn(error: unknown): readonly Attempt[] {
  return error instanceof AskError || error instanceof StoppedError ? error.attempts : []
}

function withAll(error: unknown, attempts: readonly Attempt[]): unknown {
  if (error instanceof AskError) return new AskError(error.fault, attempts)
  const cause = error instanceof StoppedError ? error.cause : error
  return attempts.length === 0 ? cause : new StoppedError(cause as Error, attempts)
}
