import { defaultMaxTokens, defaultModel, findModel, resolveModelAlias } from '../core/pricing/models.ts'
import { computeInitialPoolSize, defaultLatency, maxPoolSize } from '../core/rate-limit/pool-size.ts'
import type { RateLimitSettings } from '../core/rate-limit/rate-limit-settings.ts'
import type { Prompt } from '../core/request/render-prompt.ts'
import type { RequestSettings } from '../core/request/request.ts'
import { CommandLineError } from '../errors.ts'
import type { SummarizeOptions } from './summarize-flags.ts'

/** Names of the settings in error messages. */
interface SettingNames {
  readonly maxTokens: string
  readonly effort: string
}

const flagNames: SettingNames = { maxTokens: '--max-tokens', effort: '--effort' }

/**
 * Returns the model and its settings: a flag overrides the prompt, and the prompt overrides the default.
 * @throws CommandLineError if the model does not accept a setting
 */
export function resolveModelSettings(
  prompt: Pick<Prompt, 'model' | 'maxTokens' | 'effort'>,
  options: Pick<SummarizeOptions, 'model' | 'maxTokens' | 'effort'>,
  settingNames = flagNames,
): RequestSettings {
  const model = resolveModelAlias(options.model ?? prompt.model ?? defaultModel)
  const maxTokens = options.maxTokens ?? prompt.maxTokens ?? defaultMaxTokens
  const effort = options.effort ?? prompt.effort
  const modelInfo = findModel(model)
  if (modelInfo !== undefined && maxTokens > modelInfo.maxOutputTokens) {
    throw new CommandLineError(
      `${settingNames.maxTokens} ${maxTokens}: ${model} writes at most ${modelInfo.maxOutputTokens}`,
    )
  }
  if (modelInfo !== undefined && effort !== undefined && !modelInfo.efforts.includes(effort)) {
    const accepted = modelInfo.efforts.length === 0 ? 'none' : modelInfo.efforts.join(', ')
    throw new CommandLineError(`${settingNames.effort} ${effort}: ${model} accepts ${accepted}`)
  }
  return effort === undefined ? { model, maxTokens } : { model, maxTokens, effort }
}

/** What a run assumes before the first replies. */
interface RateLimitAssumptions {
  /** Expected seconds per request. */
  readonly latency?: number | undefined
  /** How many runs like this one start at the same time, this one included. Each begins with its part. */
  readonly sharers?: number | undefined
}

type RateLimitOptions = Pick<SummarizeOptions, 'rpm' | 'itpm' | 'otpm' | 'concurrency'>

/**
 * Returns the limits that the user set, and the rate limiter's assumptions before the first replies.
 */
export function toRateLimitSettings(
  { rpm, itpm, otpm, concurrency }: RateLimitOptions,
  model: string,
  { latency = defaultLatency, sharers = 1 }: RateLimitAssumptions = {},
): RateLimitSettings {
  const maxConcurrency = concurrency ?? maxPoolSize
  const initial = computeInitialPoolSize(rpm, latency)
  return {
    configured: {
      ...(rpm !== undefined && { requests: rpm }),
      ...(itpm !== undefined && { inputTokens: itpm }),
      ...(otpm !== undefined && { outputTokens: otpm }),
    },
    concurrency: {
      initial: Math.min(maxConcurrency, Math.max(1, Math.round(initial / sharers))),
      max: maxConcurrency,
    },
    sharers,
    charactersPerToken: findModel(model)?.charsPerToken ?? 2.5,
  }
}
