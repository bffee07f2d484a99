import { settingsOf } from '../config/model-settings.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { Watch } from '../core/request/ask.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { flawOf } from '../core/request/reply.ts'
import { parametersFor } from '../core/request/request.ts'
import { underBoth } from '../engine/with-any-signal.ts'
import type { Connection } from './connection.ts'
import { errorFrom, errorOf } from './error.ts'
import { type Spending, spendingOf } from './spending.ts'
import { wholeCharacters } from './texts.ts'
import { unlessAborted } from './unless-aborted.ts'

/** What is asked: a text, sent as it is, or one with a system prompt. */
export type Question = string | { readonly system?: string | undefined; readonly user: string }

/** A whole answer, and what it took. */
export interface Completion extends Spending {
  readonly text: string
  /** The id of the model that answered. */
  readonly model: string
  /** The service's id of the request. */
  readonly requestId: string | null
  /** From the call to the end of the answer, waits and retries included: milliseconds. */
  readonly elapsedMs: number
}

/**
 * Asks one question. Rejects with the signal's reason once it has aborted; otherwise with a `ClaudeBatchError` for
 * anything but a whole answer, or a `TypeError` where the question is none.
 * @param watch told of the text as it is written
 */
export async function completion(
  connection: Connection,
  question: Question,
  { signal, watch }: { readonly signal?: AbortSignal | undefined; readonly watch?: Watch },
): Promise<Completion> {
  const { clock, closed, wishes } = connection
  const prompt = promptOf(question)
  signal?.throwIfAborted()
  const start = clock.now()
  const parameters = parametersFor(settingsOf({}, { ...noWishes, ...wishes }))
  let [endpoint, partial] = ['', '']
  const watched =
    watch &&
    ((piece: string) => {
      partial += piece
      watch(piece)
    })
  try {
    // Opening may have to fetch a token first.
    endpoint = (await unlessAborted(connection.open(), signal ?? closed)) ?? ''
    signal?.throwIfAborted()
    const asked = { ...parameters, ...prompt }
    const request = buildRequest(asked, 'prompt', endpoint)
    const ask = connection.slots.lend(connection.until(closed), closed)
    const reply = await (signal === undefined
      ? ask(request, closed, watched)
      : underBoth(closed, signal, (either) => ask(request, either, watched)))
    const { text, model, requestId = null, attempts } = reply
    const flaw = flawOf(reply, request.maxTokens)
    if (flaw !== undefined) throw errorOf(flaw, attempts, text)
    return { text, model, requestId, ...spendingOf(attempts), elapsedMs: clock.now() - start }
  } catch (error) {
    if (!(error instanceof AskError)) signal?.throwIfAborted()
    throw errorFrom(error, { model: parameters.model, endpoint, partial })
  }
}

export const noWishes = { model: undefined, maxTokens: undefined, effort: undefined }

function promptOf(question: Question): { user: string; system?: string } {
  const given: unknown = typeof question === 'string' ? { user: question } : question
  const { system, user, ...more } = (given ?? {}) as Record<string, unknown>
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) throw new TypeError(`a prompt has { system, user }, and no ${unknown}`)
  if (typeof user !== 'string' || user.trim() === '' || (system !== undefined && typeof system !== 'string'))
    throw new TypeError('expected a prompt: a text that is not empty, or { system, user }')
  return { user: wholeCharacters(user), ...(system !== undefined && { system: wholeCharacters(system) }) }
}
