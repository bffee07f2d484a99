import { findProxy, readProxies } from '../claude/proxies.ts'
import { resolveHeaders } from '../claude/request-headers.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { pricesAsOf } from '../core/pricing/models.ts'
import { createPriceOf } from '../core/pricing/pricing-rules.ts'
import { zeroUsage } from '../core/pricing/usage.ts'
import { createModelIds } from '../core/request/provider-model-id.ts'
import type { ExitError, UsageError } from '../errors.ts'
import { describePrices, formatRetirements } from '../run/pricing.ts'
import { describeProviderCredential, type Provider } from '../run/provider.ts'
import type { Runtime } from '../runtime.ts'
import { type Check, failedCheck, passed, warned } from './check-result.ts'

/**
 * Checks where settings come from.
 * @param origins `cli`, `default`, a file or a variable for each setting that has a value
 */
export function checkSettings(origins: readonly string[]): Check {
  const counts = new Map<string, number>()
  for (const origin of origins) {
    if (origin === 'default') continue
    // A file has a line number for each setting.
    const source = origin === 'cli' ? 'the command line' : origin.replace(/:\d+$/, '')
    counts.set(source, (counts.get(source) ?? 0) + 1)
  }
  const parts = [...counts].map(([source, count]) => `${count} from ${source}`)
  return passed('settings', parts.length === 0 ? 'all defaults' : parts.join(', '))
}

/** Checks that the models of a run have current prices and are not about to retire. */
export function checkPrices(
  models: readonly string[],
  options: Pick<SummarizeOptions, 'simulate' | 'provider' | 'prices'>,
  { clock }: Pick<Runtime, 'clock'>,
): Check[] {
  const { prices = {} } = options
  const now = clock.wallTime()
  const retirements = formatRetirements(options, models, now).map((text) =>
    warned('prices', text.replace(/; use .*/, ''), text.replace(/.*; (use .*)/, '$1 with --model')),
  )
  const priceOf = createPriceOf(prices)
  const unpriced = models.filter((model) => priceOf({ model, usage: zeroUsage }) === undefined)
  if (unpriced.length > 0)
    return [
      ...retirements,
      warned(
        'prices',
        `the price of ${unpriced.join(', ')} is unknown, so costs are too`,
        `set it with --prices ${unpriced[0]}=IN/OUT, in USD per million tokens`,
      ),
    ]
  const ageDays = Math.floor((now - Date.parse(pricesAsOf)) / dayMs)
  const found = models.every((model) => model in prices)
    ? 'your own'
    : describePrices(options, models).replace(/^prices/, 'list prices')
  return [
    ...retirements,
    ageDays > maxPriceAgeDays
      ? warned('prices', `${found}, ${ageDays} days old`, 'update claude-batch, or set prices with --prices')
      : passed('prices', found),
  ]
}

const dayMs = 86_400_000

/** Prices have changed every few months. */
const maxPriceAgeDays = 180

/** Shows who answers, and the ids of models that differ there. */
export function checkProvider(
  { provider, modelId }: Pick<SummarizeOptions, 'provider' | 'modelId'>,
  { traits, baseUrl }: Pick<Provider, 'traits' | 'baseUrl'>,
  models: readonly string[],
): Check {
  const { toId } = createModelIds(provider, modelId)
  const ids = models
    .filter((model) => toId(model) !== model)
    .map((model) => `${model} is ${toId(model)} there`)
  const name = traits.label === baseUrl ? baseUrl : `${traits.label}, ${baseUrl}`
  return passed('provider', [name, ...ids].join('; '))
}

/** Checks whether requests to the API go through a proxy. */
export function checkProxy(baseUrl: string, { env }: Pick<Runtime, 'env'>): Check {
  const proxies = readProxies(env)
  const proxy = proxies && URL.canParse(baseUrl) ? findProxy(new URL(baseUrl), proxies) : undefined
  // The URL of a proxy may contain a user name and a password.
  return passed('proxy', proxy === undefined ? 'none' : new URL(proxy).host)
}

/** Shows where the credentials come from, never what they are. */
export function checkCredentials(
  options: Pick<SummarizeOptions, 'provider' | 'keyCommand' | 'headers' | 'simulate'>,
  { env }: Pick<Runtime, 'env'>,
): Check {
  if (options.simulate) return passed('credentials', 'not needed with --simulate')
  const headers = resolveHeaders(options.headers ?? {}, env, '--headers')
  const credential = describeProviderCredential({ ...options, headers }, env)
  const unused = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'].filter(
    (name) => options.provider === 'anthropic' && name !== credential && env[name]?.trim(),
  )
  return passed('credentials', [credential, ...unused.map((name) => `${name} is not used`)].join('; '))
}

/** Returns the check of credentials for an error that says that there are none, or that they cannot be used. */
export function toCredentialsError({ message, exit }: UsageError | ExitError): Check {
  const [found = message, ...advice] = message.split('; ')
  return failedCheck(
    'credentials',
    exit,
    found,
    advice.length > 0 ? advice.join('; ') : 'see docs/configuration.md',
  )
}
