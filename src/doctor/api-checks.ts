import { AskError } from '../core/errors/ask-error.ts'
import { classifyError } from '../core/errors/classify-error.ts'
import { describeAccountError } from '../core/errors/describe-account-error.ts'
import { describeFailure } from '../core/errors/describe-failure.ts'
import { toFailure } from '../core/errors/failure.ts'
import { getBaseUrlSetting, isNotFound } from '../core/errors/request-error.ts'
import type { RateLimits } from '../core/rate-limit/parse-rate-limits.ts'
import type { ProviderTraits } from '../core/request/providers.ts'
import type { Reply } from '../core/request/reply.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger } from '../core/text/format-number.ts'
import type { Provider } from '../run/provider.ts'
import type { Runtime } from '../runtime.ts'
import { type Check, failedCheck, passed, warned } from './check-result.ts'

/**
 * Counts the tokens of a short text with each model, which is free of charge. It shows whether the base URL,
 * the credentials and the model work.
 * @param models at least one
 */
export async function checkApi(
  provider: Provider,
  models: readonly string[],
  { clock }: Pick<Runtime, 'clock'>,
  signal: AbortSignal,
): Promise<Check[]> {
  const { countTokens } = await provider.connect()
  const { label, countsTokens } = provider.traits
  if (!countsTokens)
    return [
      warned(
        'api',
        `${label} at ${provider.baseUrl} was not called: it has no call that is free of charge`,
        `summarize one document to test the credentials and ${models.join(', ')}`,
      ),
    ]
  const checks: Check[] = []
  for (const model of models) {
    const startMs = clock.now()
    try {
      const reply = await countTokens(createProbe(model), signal)
      const elapsed = formatDuration(clock.now() - startMs)
      checks.push(
        passed('api', `${provider.baseUrl} answered in ${elapsed}; ${model} works`),
        checkLimits(model, reply.limits, provider.traits),
        ...checkClock(reply, clock.wallTime()),
      )
    } catch (error) {
      if (!(error instanceof AskError)) throw error
      checks.push(describeApiError(error, model, provider.baseUrl))
    }
  }
  return checks
}

/** A request whose tokens are counted and that is never answered. */
function createProbe(model: string) {
  return { path: '', hash: '', attemptNumber: 1, model, user: 'Hello', maxTokens: 1 }
}

function describeApiError({ requestError }: AskError, model: string, baseUrl: string): Check {
  const { status = 0 } = requestError
  if (noSuchEndpointStatuses.has(status) && !isNotFound(requestError))
    return warned(
      'api',
      `${baseUrl} answered ${status}: it cannot count tokens, or the address is wrong`,
      `check ${getBaseUrlSetting(requestError)}, and summarize one document to test the key and the model`,
    )
  const isAccountError = classifyError(requestError) === 'account'
  const text = isAccountError
    ? describeAccountError(requestError, model, baseUrl)
    : describeFailure(toFailure(requestError))
  const [found = text, ...advice] = text.split('; ')
  if (isAccountError) return failedCheck('api', 'serviceRefused', found, advice.join('; '))
  return failedCheck('api', 'temporaryFailure', found, advice.join('; ') || 'try again later')
}

/** Statuses of compatible servers without an endpoint for counting tokens. */
const noSuchEndpointStatuses: ReadonlySet<number> = new Set([404, 405, 501])

function checkLimits(
  model: string,
  limits: RateLimits | undefined,
  { label, sendsRateLimits }: ProviderTraits,
): Check {
  if (!sendsRateLimits && limits === undefined)
    return passed('limits', `${label} does not send them; set --rpm to your quota`)
  const parts = (['requests', 'inputTokens', 'outputTokens'] as const).flatMap((kind) => {
    const limit = limits?.[kind]?.limit
    return limit === undefined ? [] : [`${formatInteger(limit)} ${limitNames[kind]}`]
  })
  return passed(
    'limits',
    parts.length === 0
      ? 'the API named none for counting; a run learns them from its first answers, or set --rpm'
      : `${parts.join(', ')} per minute, for counting tokens of ${model}`,
  )
}

const limitNames = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
} as const

/** A wrong clock breaks TLS, short-lived tokens and the times in reports. */
function checkClock({ serverTimeMs }: Pick<Reply, 'serverTimeMs'>, nowMs: number): Check[] {
  if (serverTimeMs === undefined) return []
  const offMs = Math.abs(nowMs - serverTimeMs)
  if (offMs <= maxClockErrorMs) return [passed('clock', 'agrees with the API')]
  const direction = nowMs > serverTimeMs ? 'ahead of' : 'behind'
  return [
    warned(
      'clock',
      `${formatDuration(offMs)} ${direction} the API`,
      'set the clock of this machine, for example with NTP',
    ),
  ]
}

/** Milliseconds. The header has whole seconds, and the answer takes time. */
const maxClockErrorMs = 60_000
