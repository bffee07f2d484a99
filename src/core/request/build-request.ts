import { replaceLoneSurrogates } from '../text/replace-lone-surrogates.ts'
import type { Request } from './request.ts'
import { hashRequest, type ProviderName } from './request-hash.ts'

/** What a request asks, before it is known what it is about. */
type RequestContent = Omit<Request, 'hash' | 'path' | 'attemptNumber'>

/**
 * Builds the request for a document. Every request is made here, so that only well-formed text leaves the program,
 * wherever it comes from: documents, names, prompts, variables, schemas, summaries. Its hash is that of what is sent.
 * @param path of the document
 * @param provider who answers it
 */
export function buildRequest(content: RequestContent, path: string, provider: ProviderName): Request {
  const wellFormedContent = replaceLoneSurrogates(content)
  return { ...wellFormedContent, hash: hashRequest(wellFormedContent, provider), path, attemptNumber: 1 }
}
