import { settingsOf } from '../config/model-settings.ts'
import { adviceFor } from '../core/errors/remediation.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { type Prompt, renderPrompt } from '../core/request/prompt.ts'
import { parametersFor } from '../core/request/request.ts'
import { createHalt } from '../engine/shutdown.ts'
import { summarizeAll as summarizeSources } from '../engine/summarize-documents.ts'
import { RunError } from '../errors.ts'
import { noWishes } from './complete-text.ts'
import type { Connection } from './connection.ts'
import { type Client, connectionOf, heeded } from './create-client.ts'
import { errorFrom } from './error.ts'
import { loadPrompt } from './library-prompt.ts'
import { type Outcome, outcomeFrom } from './public-outcome.ts'
import { checkTexts, readText, sourcesFrom, type Text, type Texts } from './texts.ts'
import { unlessAborted } from './unless-aborted.ts'

export interface SummarizeAllOptions {
  readonly client: Client
  /** As `loadPrompt` gives it. Default: `summarize`, in its latest version. */
  readonly prompt?: Prompt | undefined
  /** Aborted: what is under way is cancelled, comes out as pending, and the loop throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Summarizes texts, as many at once as the client's limits allow, and yields what became of each as it finishes, which
 * is not the order of the source. The next text is taken from the source only when there is a slot for it. Leaving the
 * loop ends the source, and cancels what is under way.
 *
 * Never throws for one text. Throws a `ClaudeBatchError` where the account or the service refuses everything alike, or
 * asks for too long a wait; the signal's reason; or what the source threw. Each time what was under way has been
 * yielded before.
 * @throws TypeError at once, where an argument is not what it should be
 */
export function summarizeAll(
  texts: Iterable<string | Text> | AsyncIterable<string | Text>,
  { client, prompt, signal }: SummarizeAllOptions,
): AsyncGenerator<Outcome, void, undefined> {
  checkTexts(texts)
  return outcomesOf(texts, connectionOf(client), prompt, heeded(signal))
}

async function* outcomesOf(
  texts: Texts,
  connection: Connection,
  given: Prompt | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Outcome, void, undefined> {
  const { clock, closed, wishes } = connection
  const halt = createHalt()
  const sources = sourcesFrom(texts, halt.drain)
  const close = () => halt.abandon(closed.reason)
  const abort = () => halt.abandon(new Error('aborted'))
  let [endpoint, model] = ['', '']
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', abort, { once: true })
    closed.addEventListener('abort', close, { once: true })
    const prompt = given ?? (await loadPrompt('summarize'))
    const parameters = parametersFor(settingsOf(prompt, { ...noWishes, ...wishes }))
    model = parameters.model
    // Opening may have to fetch a token first.
    endpoint = (await unlessAborted(connection.open(), halt.drain)) ?? ''
    halt.drain.throwIfAborted()
    const outcomes = summarizeSources({
      sources,
      read: readText,
      requestFor(document) {
        const asked = { ...parameters, ...renderPrompt(prompt, document, {}) }
        return buildRequest(asked, document.source.path, endpoint)
      },
      ask: connection.until(halt.drain),
      explain: (error) => new RunError('refused', adviceFor(error.fault, model, endpoint), { cause: error }),
      slots: connection.slots,
      halt,
      clock,
    })
    for await (const outcome of outcomes) yield outcomeFrom(outcome)
    halt.drain.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    throw errorFrom(error, { model, endpoint })
  } finally {
    signal?.removeEventListener('abort', abort)
    closed.removeEventListener('abort', close)
    halt.abandon(new Error('nobody wants more'))
    await sources.return(undefined)
  }
}
