import type { Reply } from '../request/reply.ts'
import type { Request } from '../request/request.ts'

/** Remembers the answers about chunks of documents, from one run to the next, and what they cost. */
export interface ChunkCache {
  /** The answer to a request that was sent before. It is paid and booked already, or will be by the one who sent it. */
  get(request: Request): Promise<CachedChunk | undefined>
  /**
   * Keeps an answer, and what it cost, against any crash. The caller books the cost with the document that the request
   * is about; where it is killed before that, the next run does it.
   * @throws RunError where it cannot be written
   */
  save(request: Request, reply: Reply): Promise<void>
  /** Likewise for an incomplete reply, of which only the cost is kept. @throws RunError where it cannot be written */
  saveCost(request: Request, reply: Reply): Promise<void>
  /**
   * Forgets what a document that is done has no use for any more. Where that cannot be noted, it is kept for longer.
   * @param isSummarized it has its summary: chunks that it no longer has are forgotten
   */
  prune(path: string, isSummarized: boolean): Promise<void>
}

interface CachedChunk {
  readonly text: string
  /** That answered. */
  readonly model: string
}
