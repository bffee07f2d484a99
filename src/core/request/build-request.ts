import type { Document } from '../document/document.ts'
import { replaceLoneSurrogates } from '../text/replace-lone-surrogates.ts'
import type { ProviderName } from './providers.ts'
import { type Prompt, renderPrompt } from './render-prompt.ts'
import type { Request } from './request.ts'
import { hashRequest } from './request-hash.ts'

/** A request without the fields that identify it. */
export type RequestContent = Omit<Request, 'hash' | 'path' | 'attemptNumber'>

/**
 * Builds the request for a document. All requests are built here, so that claude-batch sends only well-formed
 * text, also from names, prompts, variables, schemas and summaries. The request hash covers the text that is
 * sent.
 * @param path of the document
 * @param provider who answers it
 */
export function buildRequest(content: RequestContent, path: string, provider: ProviderName): Request {
  const wellFormedContent = replaceLoneSurrogates(content)
  return { ...wellFormedContent, hash: hashRequest(wellFormedContent, provider), path, attemptNumber: 1 }
}

/** Builds what is sent to apply a prompt to a document. @param parameters the model, its limits, and a schema */
export function buildDocumentContent(
  prompt: Prompt,
  document: Document,
  parameters: Omit<RequestContent, 'system' | 'user' | 'upload'>,
): RequestContent {
  const { upload } = document
  return { ...parameters, ...renderPrompt(prompt, document, {}), ...(upload && { upload }) }
}
