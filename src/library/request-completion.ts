import { resolveModelSettings } from '../config/model-settings.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { OnText } from '../core/request/ask.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { findReplyFailure } from '../core/request/reply.ts'
import { chooseParameters } from '../core/request/request.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { withAnySignal } from '../engine/with-any-signal.ts'
import { modelSettingNames } from './client-options.ts'
import type { Connection } from './create-connection.ts'
import { createFailureError, toPublicError } from './library-error.ts'
import { computeSpending, type Spending } from './spending.ts'
import { unlessAborted } from './unless-aborted.ts'

/** A prompt: a text that is sent unchanged, or a text with a system prompt. */
export type Question = string | { readonly system?: string | undefined; readonly user: string }

/** A complete answer, with its attempts and cost. */
export interface Completion extends Spending {
  readonly text: string
  /** The id of the model that answered. */
  readonly model: string
  /** The API's request id. */
  readonly requestId: string | null
  /** Time in milliseconds from the call to the end of the answer, including waits and retries. */
  readonly elapsedMs: number
}

/**
 * Sends one prompt. Rejects with the signal's reason once it has aborted. Otherwise rejects with a
 * `ClaudeBatchError` if there is no complete answer, or with a `TypeError` if the prompt is invalid.
 * @param onText called with the text as it arrives
 */
export async function requestCompletion(
  connection: Connection,
  question: Question,
  { signal, onText }: { readonly signal?: AbortSignal | undefined; readonly onText?: OnText },
): Promise<Completion> {
  const { clock, closed, overrides } = connection
  const prompt = parsePrompt(question)
  signal?.throwIfAborted()
  const start = clock.now()
  const parameters = chooseParameters(
    resolveModelSettings({}, { ...noOverrides, ...overrides }, modelSettingNames),
  )
  let [endpoint, partial] = ['', '']
  const onPiece =
    onText &&
    ((piece: string) => {
      partial += piece
      onText(piece)
    })
  try {
    // Opening the connection may have to fetch a token first.
    endpoint = (await unlessAborted(connection.open(), signal ?? closed)) ?? ''
    signal?.throwIfAborted()
    const fields = { ...parameters, ...prompt }
    const request = buildRequest(fields, 'prompt', 'anthropic')
    const ask = connection.semaphore.withPermit(connection.withDrain(closed), closed)
    const reply = await (signal === undefined
      ? ask(request, closed, onPiece)
      : withAnySignal(closed, signal, (either) => ask(request, either, onPiece)))
    const { text, model, requestId = null, attempts } = reply
    const failure = findReplyFailure(reply, request.maxTokens)
    if (failure !== undefined) throw createFailureError(failure, attempts, text)
    return { text, model, requestId, ...computeSpending(attempts), elapsedMs: clock.now() - start }
  } catch (error) {
    if (!(error instanceof AskError)) signal?.throwIfAborted()
    throw toPublicError(error, { model: parameters.model, endpoint, partial })
  }
}

export const noOverrides = { model: undefined, maxTokens: undefined, effort: undefined }

function parsePrompt(question: Question): { user: string; system?: string } {
  const fields: unknown = typeof question === 'string' ? { user: question } : question
  const { system, user, ...unknownFields } = (fields ?? {}) as Record<string, unknown>
  const [unknown] = Object.keys(unknownFields)
  if (unknown !== undefined) throw new TypeError(`unknown prompt field ${unknown}; expected { system, user }`)
  if (typeof user !== 'string' || user.trim() === '' || (system !== undefined && typeof system !== 'string'))
    throw new TypeError('expected a prompt: a non-empty text or { system, user }')
  return {
    user: replaceLoneSurrogates(user),
    ...(system !== undefined && { system: replaceLoneSurrogates(system) }),
  }
}
