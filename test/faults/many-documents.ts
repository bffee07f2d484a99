import { AskError, StoppedError } from '../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../src/core/errors/request-error.ts'
import type { Ask } from '../../src/core/request/ask.ts'
import { createSeededRandom } from '../../src/simulator/seeded-random.ts'
import { createReply } from '../support/scripted-ask.ts'
import { createTestPipeline } from '../support/test-pipeline.ts'
import { createVirtualClock } from '../support/virtual-clock.ts'

/**
 * Sends `count` documents through the request pipeline of a run, on a virtual clock.
 * The API has a latency of 200 ms and fails with the error that `trouble` returns for the time in ms.
 */
export async function sendAll(
  count: number,
  trouble: (now: number) => RequestError | undefined,
  maxWaitMs = 600_000,
) {
  const clock = createVirtualClock()
  const starts: number[] = []
  const service: Ask = async () => {
    starts.push(clock.now())
    const fault = trouble(clock.now())
    await clock.sleep(200)
    if (fault !== undefined) throw new AskError(fault)
    return createReply('ok')
  }
  const {
    ask,
    shutdown,
    semaphore: slots,
    pausesMs: pauses,
  } = createTestPipeline(service, { clock, maxWaitMs, random: createSeededRandom(1) })
  let [next, replies, failed] = [0, 0, 0]
  const one = () =>
    ask(`${next++}.md`).then(
      () => replies++,
      (error: Error) => {
        if (error instanceof AskError) failed++
        else shutdown.drain(error instanceof StoppedError ? error.cause : error)
      },
    )
  const all = async () => {
    const underWay = new Set<Promise<unknown>>()
    const more = () => next < count && !shutdown.drainSignal.aborted
    while (more() || underWay.size > 0) {
      while (more() && underWay.size < slots.getMaxOpenDocuments()) {
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
    stopped: shutdown.drainSignal.reason as unknown,
    seconds: clock.now() / 1000,
  }
}
