import { resolveModelSettings } from '../config/model-settings.ts'
import { AccountError } from '../core/errors/run-error.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { renderPrompt } from '../core/request/render-prompt.ts'
import { chooseParameters } from '../core/request/request.ts'
import { createShutdown } from '../engine/shutdown.ts'
import { summarizeDocuments } from '../engine/summarize-documents.ts'
import { type Call, type CallOptions, readCallOptions } from './call-options.ts'
import { isOptions } from './check-arguments.ts'
import { modelSettingNames } from './client-options.ts'
import { type Client, getConnection } from './create-client.ts'
import type { Connection } from './create-connection.ts'
import { checkPrompt, type Prompt } from './define-prompt.ts'
import { toPublicError } from './library-error.ts'
import { loadPrompt } from './library-prompt.ts'
import { type Outcome, toPublicOutcome } from './public-outcome.ts'
import { createAnswerReader } from './schema-data.ts'
import { checkTexts, readText, type Text, type Texts, takeSources } from './text-source.ts'
import { unlessAborted } from './unless-aborted.ts'

/** Options of `summarizeAll`. The model and its settings override those of the client and of the prompt. */
export interface SummarizeAllOptions<Data = unknown> extends CallOptions {
  readonly client: Client
  /** A prompt from `loadPrompt` or `definePrompt`. Default: the latest version of `summarize`. */
  readonly prompt?: Prompt<Data> | undefined
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
export function summarizeAll<Data = unknown>(
  texts: Iterable<string | Text> | AsyncIterable<string | Text>,
  options: SummarizeAllOptions<Data>,
): AsyncGenerator<Outcome<Data>, void, undefined> {
  const caller = 'summarizeAll'
  checkTexts(caller, texts)
  if (!isOptions(options)) throw new TypeError(`${caller}: options must be an object with a client`)
  const { client, prompt } = options
  const connection = getConnection(caller, client)
  checkPrompt(caller, prompt)
  const call = readCallOptions(caller, options, connection.overrides, ['client', 'prompt'])
  return generateOutcomes(texts, connection, prompt, call) as AsyncGenerator<Outcome<Data>, void, undefined>
}

async function* generateOutcomes(
  texts: Texts,
  connection: Connection,
  promptOption: Prompt | undefined,
  { overrides, signal }: Call,
): AsyncGenerator<Outcome, void, undefined> {
  const { clock, closed } = connection
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
    const parameters = chooseParameters(resolveModelSettings(prompt, overrides, modelSettingNames))
    model = parameters.model
    const { schema } = prompt
    const reader = await createAnswerReader(schema, 'the schema of the prompt')
    // Opening the connection may have to fetch a token first.
    endpoint = (await unlessAborted(connection.open(), shutdown.drainSignal)) ?? ''
    shutdown.drainSignal.throwIfAborted()
    const { withDrain, semaphore } = connection.forModel(model)
    const outcomes = summarizeDocuments({
      sources,
      read: readText,
      buildRequest(document) {
        const fields = { ...parameters, ...renderPrompt(prompt, document, {}), ...(schema && { schema }) }
        return buildRequest(fields, document.ref.path, 'anthropic')
      },
      findMismatch: reader.findMismatch,
      ask: withDrain(shutdown.drainSignal),
      toRunError: (error) => new AccountError(error, model, endpoint),
      semaphore,
      shutdown,
      clock,
    })
    for await (const outcome of outcomes) yield toPublicOutcome(outcome, reader)
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
