import type { ChunkCache } from '../../core/chunking/chunk-cache.ts'
import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import type { Ask } from '../../core/request/ask.ts'
import { findReplyFailure, type Reply } from '../../core/request/reply.ts'
import type { Request } from '../../core/request/request.ts'

/**
 * Sends each request once: an answer that is remembered is not asked for again, and of several that want the same
 * answer at the same time one sends the request and the others wait for it. Only the sender's reply has attempts, so
 * that what was billed once is booked once. A complete answer is kept before anybody gets it.
 *
 * @param withPermit holds a permit from the first attempt until the reply is cached; a caller that only waits for another request needs none
 * @throws what `ask` throws, with attempts for the sender alone; RunError in a StoppedError, where a paid answer
 * cannot be kept
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
    // An incomplete reply is billed, too, and the document may be killed while it waits for other chunks.
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
    // Registered before anything is waited for: between two looks another could send the same request.
    const newReply = readOrSend(request, signal).finally(() => inFlight.delete(key))
    inFlight.set(key, newReply)
    return newReply
  }
}

async function stripAttempts(pendingReply: Promise<Reply>): Promise<Reply> {
  try {
    return { ...(await pendingReply), attempts: [] }
  } catch (error) {
    if (error instanceof AskError) throw new AskError(error.requestError)
    throw error instanceof StoppedError ? error.cause : error
  }
}
