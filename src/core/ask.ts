import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

/**
 * The only way to reach a model. The client, the recorder and the retry layer are each an `Ask` or wrap one.
 *
 * Resolves with the reply as the model gave it, complete or not. Rejects with an `AskError` for anything that went
 * wrong on the way, or with the signal's reason once it has aborted; the request is then cancelled upstream too.
 */
export type Ask = (request: Request, signal: AbortSignal) => Promise<Reply>
