import { AskError, StoppedError } from '../../src/core/errors/ask-error.ts'
import type { Fault } from '../../src/core/errors/request-error.ts'
import type { Ask } from '../../src/core/request/ask.ts'
import { seededRandom } from '../../src/simulator/random.ts'
import { replyOf } from '../support/scripted-ask.ts'
import { stack } from '../support/stack.ts'
import { virtualClock } from '../support/virtual-clock.ts'

/** Sends so many documents through the layers of a run, to a service with 200 ms of latency, all on a virtual clock. */
export async function sendAll(
  count: number,
  trouble: (now: number) => Fault | undefined,
  maxWaitMs = 600_000,
) {
  const clock = virtualClock()
  const starts: number[] = []
  const service: Ask = async () => {
    starts.push(clock.now())
    const fault = trouble(clock.now())
    await clock.sleep(200)
    if (fault !== undefined) throw new AskError(fault)
    return replyOf('ok')
  }
  const { ask, halt, slots, pauses } = stack(service, { clock, maxWaitMs, random: seededRandom(1) })
  let [next, replies, failed] = [0, 0, 0]
  const one = () =>
    ask(`${next++}.md`).then(
      () => replies++,
      (error: Error) => {
        if (error instanceof AskError) failed++
        else halt.stop(error instanceof StoppedError ? error.cause : error)
      },
    )
  const all = async () => {
    const underWay = new Set<Promise<unknown>>()
    const more = () => next < count && !halt.drain.aborted
    while (more() || underWay.size > 0) {
      while (more() && underWay.size < slots.places()) {
        const sending: Promise<unknown> = one().finally(() => underWay.delete(sending))
        underWay.add(sending)
      }
      await Promise.race(underWay)
    }
  }
  await clock.run(all())
  return {
    replies,
    failed,
    starts,
    pauses,
    stopped: halt.drain.reason as unknown,
    seconds: clock.now() / 1000,
  }
}
