import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

/**
 * The only way to reach a model. The client, the recorder and the retry layer are each an `Ask` or wrap one.
 *
 * Resolves with the reply as the model gave it, complete or not. Rejects with an `AskError` for anything that went
 * wrong on the way, or with the signal's reason once it has aborted; the request is then cancelled upstream too.
 *
 * With a `watch` the text is handed on as it is written: the pieces of a reply, in order, are its whole text. Once a
 * piece is out nothing is asked again, as it would be said twice.
 */
export type Ask = (request: Request, signal: AbortSignal, onText?: OnText) => Promise<Reply>

/** Told of each piece of a text, never empty, never with half a character. */
export type OnText = (piece: string) => void
