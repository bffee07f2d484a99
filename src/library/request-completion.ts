import { resolveModelSettings } from '../config/model-settings.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { OnText } from '../core/request/ask.ts'
import { buildRequest } from '../core/request/build-request.ts'
import { createSchemaFailure, findReplyFailure } from '../core/request/reply.ts'
import { chooseParameters } from '../core/request/request.ts'
import { withAnySignal } from '../engine/with-any-signal.ts'
import type { Call } from './call-options.ts'
import { modelSettingNames } from './client-options.ts'
import type { Connection } from './create-connection.ts'
import { createFailureError, toPublicError } from './library-error.ts'
import type { CheckedQuestion } from './question.ts'
import { createAnswerReader } from './schema-data.ts'
import { computeSpending, type Spending } from './spending.ts'
import { unlessAborted } from './unless-aborted.ts'

/** A complete answer, with its attempts and cost. */
export interface Completion<Data = unknown> extends Spending {
  /** The answer. */
  readonly text: string
  /** The text, parsed, if the prompt has a schema, which it matches; otherwise undefined. */
  readonly data: Data
  /** The id of the model that answered. */
  readonly model: string
  /** The API's request id. */
  readonly requestId: string | null
  /** Time in milliseconds from the call to the end of the answer, including waits and retries. */
  readonly elapsedMs: number
}

/**
 * Sends one prompt. Rejects with the signal's reason once it has aborted. Otherwise rejects with a
 * `ClaudeBatchError` if there is no complete answer, or if it does not match the schema.
 * @param onText called with the text as it arrives
 */
export async function requestCompletion(
  connection: Connection,
  question: CheckedQuestion,
  { overrides, signal }: Call,
  onText?: OnText,
): Promise<Completion> {
  const { clock, closed } = connection
  signal?.throwIfAborted()
  const start = clock.now()
  const parameters = chooseParameters(resolveModelSettings({}, overrides, modelSettingNames))
  let [endpoint, partial] = ['', '']
  const onPiece =
    onText &&
    ((piece: string) => {
      partial += piece
      onText(piece)
    })
  try {
    const reader = await createAnswerReader(question.schema, 'schema')
    // Opening the connection may have to fetch a token first.
    endpoint = (await unlessAborted(connection.open(), signal ?? closed)) ?? ''
    signal?.throwIfAborted()
    const request = buildRequest({ ...parameters, ...question }, 'prompt', 'anthropic')
    const { withDrain, semaphore } = connection.forModel(parameters.model)
    const ask = semaphore.withPermit(withDrain(closed), closed)
    const reply = await (signal === undefined
      ? ask(request, closed, onPiece)
      : withAnySignal(closed, signal, (either) => ask(request, either, onPiece)))
    const { text, model, requestId = null, attempts } = reply
    const replyFailure = findReplyFailure(reply, request.maxTokens)
    const mismatch = replyFailure === undefined ? reader.findMismatch(text) : undefined
    const failure =
      mismatch === undefined ? replyFailure : createSchemaFailure(mismatch, requestId ?? undefined)
    if (failure !== undefined) throw createFailureError(failure, attempts, text)
    const elapsedMs = clock.now() - start
    const common = { model, requestId, ...computeSpending(attempts), elapsedMs }
    return { text, ...reader.readData(text), ...common } as Completion
  } catch (error) {
    if (!(error instanceof AskError)) signal?.throwIfAborted()
    throw toPublicError(error, { model: parameters.model, endpoint, partial })
  }
}
