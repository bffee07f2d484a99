import { wellFormed } from '../text/well-formed.ts'
import type { Request } from './request.ts'
import { keyOf } from './request-hash.ts'

/** What a request asks, before it is known what it is about. */
type Question = Omit<Request, 'key' | 'path' | 'attempt'>

/**
 * Builds the request for a document. Every request is made here, so that only well-formed text leaves the program,
 * wherever it comes from: documents, names, prompts, variables, schemas, summaries. Its hash is that of what is sent.
 * @param path of the document
 * @param endpoint the base URL of the API
 */
export function buildRequest(question: Question, path: string, endpoint: string): Request {
  const sent = wellFormed(question)
  return { ...sent, key: keyOf(sent, endpoint), path, attempt: 1 }
}
