import type { Attempt } from './attempt.ts'
import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

/** Remembers what was answered about parts of documents, from one run to the next. */
export interface PartStore {
  /** The answer to a question that was asked before, with what was paid for it and is in no account yet. */
  recall(request: Request): Promise<RecalledPart | undefined>
  /** Keeps an answer against any crash. @throws RunError `io` */
  keep(request: Request, reply: Reply): Promise<void>
  /**
   * A document is accounted for, and what was paid for its parts with it.
   * @param whole it has its summary: parts it has no more are forgotten
   * @throws RunError `io`
   */
  settle(path: string, whole: boolean): Promise<void>
}

interface RecalledPart {
  readonly text: string
  readonly model: string
  readonly attempts: readonly Attempt[]
}
