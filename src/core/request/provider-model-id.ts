import { canonicalizeModelId } from '../pricing/model-id.ts'
import { resolveModelAlias } from '../pricing/models.ts'
import type { ApiProvider } from './providers.ts'

/**
 * Returns the id of a model at a provider, for a model id of Anthropic's API. All other names, such as ids of
 * the provider, ARNs and names of deployments, are returned unchanged.
 * - Amazon Bedrock: the inference profile of all regions, `global.anthropic.…`. Models up to 4.6 have a date or
 *   a version.
 * - Vertex AI: a date follows `@`, and models up to 4.5 need one.
 * @example `claude-haiku-4-5` → `global.anthropic.claude-haiku-4-5-20251001-v1:0` at Bedrock
 * @see https://platform.claude.com/docs/en/models/overview
 */
export function toProviderModelId(provider: ApiProvider, model: string): string {
  const parts = /^(claude-[a-z0-9-]+?)(?:-(\d{8}))?$/.exec(model)
  if (parts === null) return model
  const [, name = '', date = datesOfOlderModels.get(name)] = parts
  if (provider === 'bedrock') {
    const version = date === undefined ? (versionsAtBedrock.get(name) ?? '') : `-${date}-v1:0`
    return `global.anthropic.${name}${version}`
  }
  if (provider === 'vertex') return date === undefined ? name : `${name}@${date}`
  return model
}

const datesOfOlderModels: ReadonlyMap<string, string> = new Map([
  ['claude-haiku-4-5', '20251001'],
  ['claude-opus-4-5', '20251101'],
  ['claude-sonnet-4-5', '20250929'],
])

const versionsAtBedrock: ReadonlyMap<string, string> = new Map([['claude-opus-4-6', '-v1']])

/** Returns one name for all spellings of a model: aliases, versions with points, ids of other providers. */
function toModelName(name: string): string {
  return canonicalizeModelId(resolveModelAlias(name))
}

/** Translates between the models of requests and their ids at a provider. */
export interface ModelIds {
  toId(model: string): string
  /** Returns the model of the request that was sent with this id; other names are returned unchanged. */
  toModel(id: string): string
}

/**
 * Creates the translation for a provider.
 * @param idsByModel the user's own ids, by model or alias; they override the usual ones
 */
export function createModelIds(
  provider: ApiProvider,
  idsByModel: Readonly<Record<string, string>> = {},
): ModelIds {
  const ownIds = new Map(Object.entries(idsByModel).map(([name, id]) => [toModelName(name), id]))
  const modelsById = new Map([...ownIds].map(([model, id]) => [id, model]))
  return {
    toId(model) {
      const ownId = ownIds.size === 0 ? undefined : ownIds.get(toModelName(model))
      const id = ownId ?? toProviderModelId(provider, model)
      modelsById.set(id, model)
      return id
    },
    toModel: (id) => modelsById.get(id) ?? id,
  }
}
