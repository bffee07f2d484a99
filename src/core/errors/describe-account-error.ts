import { knownModelNames } from '../pricing/models.ts'
import { escapeControlChars } from '../text/escape-control-chars.ts'
import { truncate } from '../text/truncate.ts'
import { findPlatformError } from './platform-errors.ts'
import { describeNonApiResponse, getBaseUrlSetting, type RequestError } from './request-error.ts'

/**
 * Returns one line that says what happened and what to do next, for an error that concerns every request.
 * @param model the requested model id
 * @param endpoint the base URL of the API
 * @param avoidBatches how the user sends requests live, as an imperative
 */
export function describeAccountError(
  requestError: RequestError,
  model: string,
  endpoint: string,
  avoidBatches = 'send the documents live',
): string {
  if (requestError.kind === 'credentials') return escapeControlChars(requestError.message)
  const id = requestError.requestId === undefined ? '' : ` [${requestError.requestId}]`
  const headline = `${requestError.status ?? requestError.kind} ${requestError.type}: ${truncate(requestError.message.replace(/\s+/g, ' ').trim(), 300)}${id}`
  return escapeControlChars(`${headline}; ${findRemedy(requestError, model, endpoint, avoidBatches)}`)
}

function findRemedy(
  requestError: RequestError,
  model: string,
  endpoint: string,
  avoidBatches: string,
): string {
  const { kind, status, code, message, credential, nonApiResponse } = requestError
  const forBatches =
    requestError.operation === 'batches' ? findBatchRemedy(requestError, endpoint, avoidBatches) : undefined
  if (forBatches !== undefined) return forBatches
  const platformRemedy = findPlatformError(requestError.type, message)?.remedy
  if (platformRemedy !== undefined) return platformRemedy
  if (kind === 'tls')
    return `check the certificate of ${endpoint} (a company proxy's can be added with NODE_EXTRA_CA_CERTS)`
  if (requestError.type === 'unknown_encoding')
    return `turn off compression in ${endpoint} or in the gateway in front of it; claude-batch asks for none`
  if (nonApiResponse !== undefined)
    return `${describeNonApiResponse(nonApiResponse)}; check ${getBaseUrlSetting(requestError)} (${endpoint}), any proxy and any firewall`
  if (code === 'enforced_spend_limit_reached')
    return "the month's spend limit is reached; access returns on the 1st at 00:00 UTC, or raise the limit in the console"
  if (code?.includes('spend_limit'))
    return 'a spend limit of the organization is reached; raise it, or ask an administrator'
  if (code === 'organization_on_hold') return 'the organization is on hold; see the console'
  if (code?.startsWith('cmek'))
    return "the organization's encryption key cannot be used; see its key settings"
  if (status === 400)
    return message.includes('credit') ? 'add credit in the console' : 'raise the limit in the console'
  if (status === 401) return `check ${credential ?? 'the key'}`
  if (status === 402) return 'see Billing in the console'
  if (status === 403 && requestError.baseUrlSetting !== undefined)
    return `these credentials may not use ${model} there; see docs/providers.md`
  if (status === 403)
    return `this key may not use ${model} in its workspace; choose another model, or use a key of another workspace`
  if (status === 404) return describeUnknownModel(/\bmodel: (\S+)/.exec(message)?.[1] ?? model, endpoint)
  return `check ${getBaseUrlSetting(requestError)} (${endpoint})`
}

/** Returns the remedy for a batch request; undefined if it is the same as for other requests. */
function findBatchRemedy(
  requestError: RequestError,
  endpoint: string,
  avoidBatches: string,
): string | undefined {
  const { kind, status, type, code } = requestError
  if (type === 'foreign_results')
    return `results are fetched only from ${endpoint}; set ${getBaseUrlSetting(requestError)} to the address that serves them`
  if ([type, code].includes('workspace_human_review_disabled'))
    return `this workspace cannot use batches; ${avoidBatches}, or use a key of another workspace`
  if (kind !== 'status') return undefined
  if (type.startsWith('http_') && (status === 403 || status === 404))
    return `that is not an answer of the API; check ${getBaseUrlSetting(requestError)} (${endpoint}), and any gateway or proxy in front of it`
  if (status === 403)
    return 'this key may not use this batch, or batches at all; use the key of its workspace'
  if (status === 404)
    return `${endpoint} has no such batch, or does not serve batches; check ${getBaseUrlSetting(requestError)}, or ${avoidBatches}`
  return undefined
}

function describeUnknownModel(model: string, endpoint: string): string {
  const known = findSimilarModels(model).join(', ')
  return `${endpoint} may not have a model ${JSON.stringify(model)}; choose another, for example ${known}`
}

/** Returns the three model names that have most parts in common with the requested one. */
function findSimilarModels(model: string): readonly string[] {
  const parts = new Set(model.toLowerCase().split(/[^a-z0-9]+/))
  const score = (name: string) => name.split('-').filter((part) => parts.has(part)).length
  return [...knownModelNames].sort((a, b) => score(b) - score(a)).slice(0, 3)
}
