import type { PartStore } from '../../core/chunking/chunk-cache.ts'
import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import type { Ask } from '../../core/request/ask.ts'
import { flawOf, type Reply } from '../../core/request/reply.ts'
import type { Request } from '../../core/request/request.ts'

/**
 * Sends each request once: an answer that is remembered is not asked for again, and of several that want the same
 * answer at the same time one sends the request and the others wait for it. Only the sender's reply has attempts, so
 * that what was billed once is booked once. A complete answer is kept before anybody gets it.
 *
 * @param inSlot lends a slot from the first attempt until the answer is kept; whoever only waits for another needs none
 * @throws what `ask` throws, with attempts for the sender alone; RunError `io` in a StoppedError, where a paid answer
 * cannot be kept
 */
export function withChunkCache(
  ask: Ask,
  store: Pick<PartStore, 'recall' | 'keep'>,
  inSlot: (ask: Ask) => Ask = (ask) => ask,
): Ask {
  const inFlight = new Map<string, Promise<Reply>>()
  const sendAndKeep = inSlot(async (request, signal) => {
    const reply = await ask(request, signal)
    if (flawOf(reply, request.maxTokens) === undefined) {
      await store.keep(request, reply).catch((error: Error) => {
        throw new StoppedError(error, reply.attempts)
      })
    }
    return reply
  })
  const answer = async (request: Request, signal: AbortSignal): Promise<Reply> => {
    const known = await store.recall(request)
    return known === undefined
      ? sendAndKeep(request, signal)
      : { ...known, stopReason: 'end_turn', attempts: [] }
  }

  return async (request, signal) => {
    const { key } = request
    const sent = inFlight.get(key)
    if (sent !== undefined) return withoutAttempts(sent)
    // Registered before anything is waited for: between two looks another could send the same request.
    const answered = answer(request, signal).finally(() => inFlight.delete(key))
    inFlight.set(key, answered)
    return answered
  }
}

async function withoutAttempts(sent: Promise<Reply>): Promise<Reply> {
  try {
    return { ...(await sent), attempts: [] }
  } catch (error) {
    if (error instanceof AskError) throw new AskError(error.fault)
    throw error instanceof StoppedError ? error.cause : error
  }
}
