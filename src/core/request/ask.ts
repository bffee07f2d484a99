import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

/**
 * Sends a request to a model. The client and the recorder are an `Ask`; every middleware wraps one.
 *
 * Resolves with the reply of the model, complete or not. Rejects with an `AskError` for a request error, or
 * with the reason of the signal once it has aborted. An abort also cancels the HTTP request.
 *
 * With `onText`, the text is passed on while the model writes it. The pieces, in order, are the whole text.
 * After the first piece the request is not retried, because the caller would get the text twice.
 */
export type Ask = (request: Request, signal: AbortSignal, onText?: OnText) => Promise<Reply>

/** Receives a piece of a text. It is never empty and never ends inside a character. */
export type OnText = (piece: string) => void
