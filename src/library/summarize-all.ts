import { resolveModelSettings } from '../config/model-settings.ts'
import { AccountError } from '../core/errors/run-error.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { type Prompt, renderPrompt } from '../core/request/render-prompt.ts'
import { chooseParameters } from '../core/request/request.ts'
import { createShutdown } from '../engine/shutdown.ts'
import { summarizeDocuments } from '../engine/summarize-documents.ts'
import { modelSettingNames } from './client-options.ts'
import { allowManyListeners, type Client, getConnection } from './create-client.ts'
import type { Connection } from './create-connection.ts'
import { toPublicError } from './library-error.ts'
import { loadPrompt } from './library-prompt.ts'
import { type Outcome, toPublicOutcome } from './public-outcome.ts'
import { noOverrides } from './request-completion.ts'
import { checkTexts, readText, type Text, type Texts, takeSources } from './text-source.ts'
import { unlessAborted } from './unless-aborted.ts'

export interface SummarizeAllOptions {
  readonly client: Client
  /** A prompt from `loadPrompt`. Default: the latest version of `summarize`. */
  readonly prompt?: Prompt | undefined
  /**
   * When aborted, requests in flight are cancelled, their texts are yielded as pending, and the loop throws
   * the signal's reason.
   */
  readonly signal?: AbortSignal | undefined
}

/**
 * Summarizes texts, as many in parallel as the client's limits allow. Yields the outcome of each text when it
 * is finished, not in the order of the source. The next text is taken from the source only when the pool has
 * room. Leaving the loop closes the source and cancels the requests in flight.
 *
 * Never throws for a single text. Throws a `ClaudeBatchError` if the account or the API refuses all requests,
 * or asks for too long a wait. Also throws the signal's reason and the error of the source. Texts in progress
 * are yielded before it throws.
 * @throws TypeError immediately, if an argument is invalid
 */
export function summarizeAll(
  texts: Iterable<string | Text> | AsyncIterable<string | Text>,
  { client, prompt, signal }: SummarizeAllOptions,
): AsyncGenerator<Outcome, void, undefined> {
  checkTexts(texts)
  return generateOutcomes(texts, getConnection(client), prompt, allowManyListeners(signal))
}

async function* generateOutcomes(
  texts: Texts,
  connection: Connection,
  promptOption: Prompt | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Outcome, void, undefined> {
  const { clock, closed, overrides } = connection
  const shutdown = createShutdown()
  const sources = takeSources(texts, shutdown.drainSignal)
  const close = () => shutdown.abort(closed.reason)
  const abort = () => shutdown.abort(new Error('aborted'))
  let [endpoint, model] = ['', '']
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', abort, { once: true })
    closed.addEventListener('abort', close, { once: true })
    const prompt = promptOption ?? (await loadPrompt('summarize'))
    const parameters = chooseParameters(
      resolveModelSettings(prompt, { ...noOverrides, ...overrides }, modelSettingNames),
    )
    model = parameters.model
    // Opening the connection may have to fetch a token first.
    endpoint = (await unlessAborted(connection.open(), shutdown.drainSignal)) ?? ''
    shutdown.drainSignal.throwIfAborted()
    const outcomes = summarizeDocuments({
      sources,
      read: readText,
      buildRequest(document) {
        const fields = { ...parameters, ...renderPrompt(prompt, document, {}) }
        return buildRequest(fields, document.ref.path, 'anthropic')
      },
      ask: connection.withDrain(shutdown.drainSignal),
      toRunError: (error) => new AccountError(error, model, endpoint),
      semaphore: connection.semaphore,
      shutdown,
      clock,
    })
    for await (const outcome of outcomes) yield toPublicOutcome(outcome)
    shutdown.drainSignal.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    throw toPublicError(error, { model, endpoint })
  } finally {
    signal?.removeEventListener('abort', abort)
    closed.removeEventListener('abort', close)
    shutdown.abort(new Error('the consumer left the loop'))
    await sources.return(undefined)
  }
}
