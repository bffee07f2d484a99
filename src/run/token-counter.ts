import type { SummarizeOptions } from '../config/flags.ts'
import type { InputProblem } from '../core/document/document.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { failureLine, failureOf } from '../core/errors/failure.ts'
import { isTooLong } from '../core/errors/request-error.ts'
import type { Request } from '../core/request/request.ts'
import { stacked } from '../engine/middleware/compose.ts'
import { RunError } from '../errors.ts'
import type { World } from '../runtime.ts'
import type { Service } from './connect.ts'
import type { Asking } from './request-builder.ts'

interface CountingOptions {
  readonly options: Pick<SummarizeOptions, 'retries' | 'maxWait'>
  readonly world: Pick<World, 'clock' | 'random'>
  readonly asking: Pick<Asking, 'model'>
  readonly drain: AbortSignal
}

/**
 * Has the service count tokens, at a pace of its own: the limit of counting is not that of answers.
 * @returns the input tokens of a request; or what is wrong with it, which a run would be told too
 */
export async function counting(
  service: Service,
  { options, world, asking, drain }: CountingOptions,
): Promise<(request: Request, signal: AbortSignal) => Promise<number | InputProblem>> {
  const { count } = await service.open()
  const { ask, slots } = stacked(count, {
    given: {},
    slots: { first: 4, most: 32 },
    charactersPerToken: 2.5,
    retries: options.retries,
    maxWaitMs: options.maxWait * 1000,
    clock: world.clock,
    random: world.random,
    drain,
    priceOf: () => 0n,
    listener: { sent() {}, ended() {} },
  })
  const counted = slots.lend(ask, drain)
  return async (request, signal) => {
    try {
      return (await counted(request, signal)).usage?.input ?? 0
    } catch (thrown) {
      const error = thrown instanceof StoppedError ? thrown.cause : thrown
      if (!(error instanceof AskError)) throw error
      const failure = failureOf(error.fault)
      const why = failureLine(failure)
      // Whatever is wrong with counting at all is wrong with all of them, and says nothing about length.
      if (isTooLong(error.fault)) return { as: 'fail', type: failure.type, message: why }
      throw new RunError(
        'refused',
        `${asking.model} cannot be counted by this service: ${why}; use --token-count estimate`,
      )
    }
  }
}
