import { resolveModelSettings } from '../config/model-settings.ts'
import type { Document } from '../core/document/document.ts'
import type { Effort } from '../core/pricing/models.ts'
import { buildDocumentContent, buildRequest, type RequestContent } from '../core/request/build-request.ts'
import { chooseParameters, type Request } from '../core/request/request.ts'
import { type ModelSettings, modelSettingNames } from './client-options.ts'
import type { Prompt } from './define-prompt.ts'
import { loadPrompt } from './library-prompt.ts'

/** The requests of one call for its texts. */
export interface TextRequests {
  readonly prompt: Prompt
  /** The id of the model. */
  readonly model: string
  /** The effort that the model gets, if it is not its lowest. */
  readonly effort: Effort | undefined
  readonly maxTokens: number
  /** Builds what is sent about a document. */
  buildContent(document: Document): RequestContent
  build(document: Document): Request
}

/**
 * Returns the requests for texts. Without a prompt, it loads the default one.
 * @throws UsageError if the model does not accept a setting of the prompt
 */
export async function createTextRequests(
  promptOption: Prompt | undefined,
  overrides: ModelSettings,
): Promise<TextRequests> {
  const prompt = promptOption ?? (await loadPrompt('summarize'))
  const { schema } = prompt
  const settings = resolveModelSettings(prompt, overrides, modelSettingNames)
  const parameters = { ...chooseParameters(settings), ...(schema && { schema }) }
  const buildContent = (document: Document) => buildDocumentContent(prompt, document, parameters)
  return {
    prompt,
    model: settings.model,
    effort: settings.effort,
    maxTokens: settings.maxTokens,
    buildContent,
    build: (document) => buildRequest(buildContent(document), document.ref.path, 'anthropic'),
  }
}
