import { resolveModelSettings } from '../config/model-settings.ts'
import type { Document } from '../core/document/document.ts'
import { buildDocumentRequest } from '../core/request/build-request.ts'
import { chooseParameters, type Request } from '../core/request/request.ts'
import { type ModelSettings, modelSettingNames } from './client-options.ts'
import type { Prompt } from './define-prompt.ts'
import { loadPrompt } from './library-prompt.ts'

/** The requests of one call for its texts. */
export interface TextRequests {
  readonly prompt: Prompt
  /** The id of the model. */
  readonly model: string
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
  const parameters = chooseParameters(resolveModelSettings(prompt, overrides, modelSettingNames))
  return {
    prompt,
    model: parameters.model,
    build: (document) =>
      buildDocumentRequest(prompt, document, { ...parameters, ...(schema && { schema }) }, 'anthropic'),
  }
}
