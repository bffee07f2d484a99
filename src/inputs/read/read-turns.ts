import { setImmediate as nextEventLoopTurn } from 'node:timers/promises'

/**
 * How long documents are read in one turn of the event loop, in ms. Requests are sent and answers arrive only between
 * turns, but the rate limiter counts a request when it is built. So a long turn makes it count earlier than the server.
 */
const maxTurnMs = 1

/**
 * Returns a function that waits until a document may be read synchronously: in another turn of the event loop, so that
 * answers and signals are handled before. Documents that begin together share a turn until `maxTurnMs` is used up, and
 * the others wait for the next one.
 * @param now the time in ms
 */
export function createReadTurns(now: () => number = () => performance.now()): () => Promise<void> {
  let turnStart: number | undefined
  return async () => {
    // The first turn ends the current one, which may have polled before an answer arrived.
    await nextEventLoopTurn()
    await nextEventLoopTurn()
    while (turnStart !== undefined && now() - turnStart >= maxTurnMs) await nextEventLoopTurn()
    if (turnStart !== undefined) return
    turnStart = now()
    setImmediate(() => {
      turnStart = undefined
    })
  }
}
