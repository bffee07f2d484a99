import type { ChunkCache } from '../../core/chunking/chunk-cache.ts'
import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import type { Ask } from '../../core/request/ask.ts'
import { findReplyFailure, type Reply } from '../../core/request/reply.ts'
import type { Request } from '../../core/request/request.ts'

/**
 * Sends each request once. A cached answer is reused, and concurrent callers with the same request share one
 * request. Only the sender's reply has attempts, so that each request is counted once. A complete answer is
 * saved before any caller gets it.
 *
 * @param withPermit holds a permit from the first attempt until the reply is cached; callers that wait for
 * another caller's request need none
 * @throws the error of `ask`, with attempts only for the sender; a RunError in a StoppedError if a paid
 * answer cannot be saved
 */
export function withCache(
  ask: Ask,
  store: Pick<ChunkCache, 'get' | 'save' | 'saveCost'>,
  withPermit: (ask: Ask) => Ask = (ask) => ask,
): Ask {
  const inFlight = new Map<string, Promise<Reply>>()
  const sendAndStore = withPermit(async (request, signal) => {
    const reply = await ask(request, signal)
    const isComplete = findReplyFailure(reply, request.maxTokens) === undefined
    // An incomplete reply is billed too, and the process may be killed while the document waits for other
    // chunks.
    const saving = isComplete ? store.save(request, reply) : store.saveCost(request, reply)
    await saving.catch((error: Error) => {
      throw new StoppedError(error, reply.attempts)
    })
    return reply
  })
  const readOrSend = async (request: Request, signal: AbortSignal): Promise<Reply> => {
    const cached = await store.get(request)
    return cached === undefined
      ? sendAndStore(request, signal)
      : { ...cached, stopReason: 'end_turn', attempts: [] }
  }

  return async (request, signal) => {
    const { hash: key } = request
    const pendingReply = inFlight.get(key)
    if (pendingReply !== undefined) return stripAttempts(pendingReply)
    // Registered before the first `await`; otherwise another caller could send the same request meanwhile.
    const newReply = readOrSend(request, signal).finally(() => inFlight.delete(key))
    inFlight.set(key, newReply)
    return newReply
  }
}

async function stripAttempts(pendingReply: Promise<Reply>): Promise<Reply> {
  try {
    return { ...(await pendingReply), attempts: [] }
  } catch (error) {
    if (error instanceof AskError) throw error.with({ attempts: [] })
    throw error instanceof StoppedError ? error.cause : error
  }
}
