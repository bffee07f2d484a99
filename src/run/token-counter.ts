import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { InputProblem } from '../core/document/document.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { formatFailure, toFailure } from '../core/errors/failure.ts'
import { isTooLong } from '../core/errors/request-error.ts'
import type { Request } from '../core/request/request.ts'
import { composeAsk } from '../engine/middleware/compose.ts'
import { ExitError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import type { Provider } from './provider.ts'
import type { PromptChoice } from './request-builder.ts'

interface CountingOptions {
  readonly options: Pick<SummarizeOptions, 'retries' | 'maxWait'>
  readonly runtime: Pick<Runtime, 'clock' | 'random'>
  readonly promptChoice: Pick<PromptChoice, 'model'>
  readonly drainSignal: AbortSignal
}

/**
 * Creates a function that counts input tokens with the API. It has its own rate limiter, because the API
 * limits counting separately.
 * @returns a function that returns the input tokens of a request, or the problem if the API rejects it as too
 * long
 */
export async function createTokenCounter(
  provider: Provider,
  { options, runtime, promptChoice, drainSignal }: CountingOptions,
): Promise<(request: Request, signal: AbortSignal) => Promise<number | InputProblem>> {
  const { countTokens: count } = await provider.connect()
  const { ask, semaphore } = composeAsk(count, {
    configured: {},
    concurrency: { initial: 4, max: 32 },
    charactersPerToken: 2.5,
    retries: options.retries,
    maxWaitMs: options.maxWait * 1000,
    clock: runtime.clock,
    random: runtime.random,
    drainSignal,
    priceOf: () => 0n,
    listener: { onSend() {}, onEnd() {} },
  })
  const countTokens = semaphore.withPermit(ask, drainSignal)
  return async (request, signal) => {
    try {
      return (await countTokens(request, signal)).usage?.input_tokens ?? 0
    } catch (thrown) {
      const error = thrown instanceof StoppedError ? thrown.cause : thrown
      if (!(error instanceof AskError)) throw error
      const failure = toFailure(error.requestError)
      const reason = formatFailure(failure)
      // Any other error concerns all documents, so the dry run cannot continue.
      if (isTooLong(error.requestError)) return { action: 'fail', type: failure.type, message: reason }
      throw new ExitError(
        'serviceRefused',
        `this API cannot count tokens for ${promptChoice.model}: ${reason}; use --token-count estimate`,
      )
    }
  }
}
