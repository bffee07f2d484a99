import type { ReportedCitation } from '../citations/citation.ts'
import type { Reply } from '../request/reply.ts'
import type { Request } from '../request/request.ts'

/** Keeps the replies about chunks of documents, and what they cost, for the next run. */
export interface ChunkCache {
  /**
   * Returns the reply to a request that was sent before. Its cost is already in the ledger, or will be added
   * by the process that sent the request.
   */
  get(request: Request): Promise<CachedChunk | undefined>
  /**
   * Stores a reply and its cost so that both survive a crash. The caller adds the cost to the ledger entry of
   * the document. If it is killed before that, the next run adds the cost.
   * @throws RunError if the cache cannot be written
   */
  save(request: Request, reply: Reply): Promise<void>
  /** Stores only the cost, for an incomplete reply. @throws RunError if the cache cannot be written */
  saveCost(request: Request, reply: Reply): Promise<void>
  /**
   * Removes the replies that a finished document no longer needs. If this cannot be recorded, they are kept
   * longer.
   * @param isSummarized the document has its summary: replies about chunks that it no longer has are removed
   */
  prune(path: string, isSummarized: boolean): Promise<void>
}

interface CachedChunk {
  readonly text: string
  /** The passages that the API named; see `Reply`. */
  readonly citations?: readonly ReportedCitation[]
  /** The model that replied. */
  readonly model: string
}
