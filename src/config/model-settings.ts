import { defaultModel, findModel, resolveModelAlias } from '../core/pricing/models.ts'
import { computeInitialPoolSize, maxPoolSize } from '../core/rate-limit/pool-size.ts'
import type { RateLimitSettings } from '../core/rate-limit/rate-limit-settings.ts'
import type { Prompt } from '../core/request/render-prompt.ts'
import type { RequestSettings } from '../core/request/request.ts'
import { UsageError } from '../errors.ts'
import type { SummarizeOptions } from './summarize-flags.ts'

/** A flag goes before the prompt's own wish, which goes before the default. */
export function resolveModelSettings(
  prompt: Pick<Prompt, 'model' | 'maxTokens' | 'effort'>,
  options: Pick<SummarizeOptions, 'model' | 'maxTokens' | 'effort'>,
): RequestSettings {
  const model = resolveModelAlias(options.model ?? prompt.model ?? defaultModel)
  const maxTokens = options.maxTokens ?? prompt.maxTokens ?? 1024
  const effort = options.effort ?? prompt.effort
  const modelInfo = findModel(model)
  if (modelInfo !== undefined && maxTokens > modelInfo.maxOutputTokens) {
    throw new UsageError(`--max-tokens ${maxTokens}: ${model} writes at most ${modelInfo.maxOutputTokens}`)
  }
  if (modelInfo !== undefined && effort !== undefined && !modelInfo.efforts.includes(effort)) {
    const accepted = modelInfo.efforts.length === 0 ? 'none' : modelInfo.efforts.join(', ')
    throw new UsageError(`--effort ${effort}: ${model} accepts ${accepted}`)
  }
  return effort === undefined ? { model, maxTokens } : { model, maxTokens, effort }
}

type RateLimitFlags = Pick<SummarizeOptions, 'rpm' | 'itpm' | 'otpm' | 'latency' | 'concurrency'>

/** What the pace starts from: what the user said of the limits, and guesses for the rest. */
export function toRateLimitSettings(
  { rpm, itpm, otpm, latency, concurrency }: RateLimitFlags,
  model: string,
): RateLimitSettings {
  const maxConcurrency = concurrency ?? maxPoolSize
  return {
    configured: {
      ...(rpm !== undefined && { requests: rpm }),
      ...(itpm !== undefined && { inputTokens: itpm }),
      ...(otpm !== undefined && { outputTokens: otpm }),
    },
    concurrency: {
      initial: Math.min(maxConcurrency, computeInitialPoolSize(rpm, latency ?? 3)),
      max: maxConcurrency,
    },
    charactersPerToken: findModel(model)?.charsPerToken ?? 2.5,
  }
}
