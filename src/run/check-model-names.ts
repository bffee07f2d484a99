import { findUnknownModel } from '../core/pricing/model-names.ts'
import { isSameModel, modelAliases } from '../core/pricing/models.ts'
import { UsageError } from '../errors.ts'

/**
 * Checks that Anthropic's API can have these models. Other servers may have models of any name.
 * @param models ids or aliases
 * @param baseUrl the server that gets the requests
 * @param idsByModel the user's own ids of models, which are not checked
 * @throws UsageError for the first name that no model has
 */
export function checkModelNames(
  models: readonly string[],
  baseUrl: string,
  idsByModel: Readonly<Record<string, string>> = {},
): void {
  if (!URL.canParse(baseUrl) || new URL(baseUrl).hostname !== 'api.anthropic.com') return
  for (const model of models) {
    if (Object.keys(idsByModel).some((name) => isSameModel(name, model))) continue
    const unknown = findUnknownModel(model)
    if (unknown === undefined) continue
    const advice =
      unknown.suggestion === undefined
        ? `use ${modelAliases.join(', ')} or a full model id (docs/models.md); for the model of another server, set ANTHROPIC_BASE_URL`
        : `did you mean ${unknown.suggestion}?`
    throw new UsageError(`api.anthropic.com has no model ${model}; ${advice}`)
  }
}
