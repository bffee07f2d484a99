import type { Ask } from '../core/ask.ts'
import type { PartStore } from '../core/part-store.ts'
import { flawOf } from '../core/reply.ts'

/** Asks what was not asked before; an answer that can be gone on with is kept before it is handed on. */
export function remembered(ask: Ask, store: PartStore): Ask {
  return async (request, signal, watch) => {
    const known = await store.recall(request)
    if (known !== undefined) return { ...known, stopReason: 'end_turn' }
    const reply = await ask(request, signal, watch)
    if (flawOf(reply, request.maxTokens) === undefined) await store.keep(request, reply)
    return reply
  }
}
