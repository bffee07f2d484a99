import type { BatchApi } from '../core/batch/batch-api.ts'
import type { Ask } from '../core/request/ask.ts'

/** The Messages API of a provider, with its batches and its token counts. */
export interface MessagesApi {
  readonly ask: Ask
  /** Counts the input tokens of a request, free of charge. The reply has a usage and no text. */
  readonly countTokens: Ask
  readonly batches: BatchApi
}
