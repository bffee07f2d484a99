import { findNearestName } from '../text/find-nearest-name.ts'
import { canonicalizeModelId } from './model-id.ts'
import { findModel, findRetirement, knownModelNames, modelAliases, resolveModelAlias } from './models.ts'

/** A name that no model of Anthropic's API has. */
export interface UnknownModel {
  /** The name of a model that the user most likely meant. */
  readonly suggestion: string | undefined
}

/**
 * Checks the name of a model of Anthropic's API. Returns undefined if there may be such a model: unknown families
 * and versions pass, because they may be newer than the price table.
 * @param name a model id or an alias
 * @example `hiku` → `{ suggestion: 'haiku' }`; `claude-haiku-5.5` → `{ suggestion: 'claude-haiku-5-5' }`
 */
export function findUnknownModel(name: string): UnknownModel | undefined {
  const id = resolveModelAlias(name)
  const isPossibleId = /^claude(-[a-z0-9]+)+$/.test(id)
  if (isPossibleId && (findModel(id) !== undefined || findRetirement(id) !== undefined)) return undefined
  const suggestion = suggestModel(id)
  return isPossibleId && suggestion === undefined ? undefined : { suggestion }
}

/** Returns the model that a name most likely means; undefined if it may be a newer model of a known family. */
function suggestModel(id: string): string | undefined {
  const canonicalId = canonicalizeModelId(id)
  if (canonicalId !== id && findModel(canonicalId) !== undefined) return canonicalId
  const parts = id.toLowerCase().match(/[a-z]+|\d+/g) ?? []
  const version = parts.filter((part) => /^\d/.test(part))
  const words = parts.filter((part) => /^[a-z]{3}/.test(part) && part !== 'claude' && part !== 'anthropic')
  for (const word of words) {
    const family = findNearestName(word, families)
    if (family === undefined) continue
    const nearestId = ['claude', family, ...version].join('-')
    if (nearestId !== id && findModel(nearestId) !== undefined) return nearestId
    const hasOnlyFamily = words.length === 1 && version.length === 0
    if (word !== family || hasOnlyFamily || !id.startsWith('claude-')) return findNewestName(family)
  }
  return undefined
}

/** Returns the alias of a family, or the id of its newest model. */
function findNewestName(family: string): string | undefined {
  return knownModelNames.find((name) => name === family || name.startsWith(`claude-${family}-`))
}

const families = new Set([
  ...modelAliases,
  ...knownModelNames.flatMap((name) => /^claude-([a-z]+)/.exec(name)?.[1] ?? []),
])
