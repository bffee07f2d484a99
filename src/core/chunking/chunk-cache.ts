import type { Reply } from '../request/reply.ts'
import type { Request } from '../request/request.ts'

/** Remembers the answers about chunks of documents, from one run to the next, and what they cost. */
export interface PartStore {
  /** The answer to a request that was sent before. It is paid and booked already, or will be by the one who sent it. */
  recall(request: Request): Promise<RecalledPart | undefined>
  /**
   * Keeps an answer, and what it cost, against any crash. The caller books the cost with the document that the request
   * is about; where it is killed before that, the next run does it.
   * @throws RunError `io`
   */
  keep(request: Request, reply: Reply): Promise<void>
  /**
   * Forgets what a document that is done has no use for any more. Where that cannot be noted, it is kept for longer.
   * @param whole it has its summary: chunks that it no longer has are forgotten
   */
  settle(path: string, whole: boolean): Promise<void>
}

interface RecalledPart {
  readonly text: string
  /** That answered. */
  readonly model: string
}
