import { defaultModel, findModel, modelId } from '../core/pricing/models.ts'
import { firstSlots, largestPool } from '../core/rate-limit/pool-size.ts'
import type { RateLimitSettings } from '../core/rate-limit/rate-limit-settings.ts'
import type { Prompt } from '../core/request/prompt.ts'
import type { Settings } from '../core/request/request.ts'
import { UsageError } from '../errors.ts'
import type { SummarizeOptions } from './flags.ts'

/** A flag goes before the prompt's own wish, which goes before the default. */
export function settingsOf(
  prompt: Pick<Prompt, 'model' | 'maxTokens' | 'effort'>,
  options: Pick<SummarizeOptions, 'model' | 'maxTokens' | 'effort'>,
): Settings {
  const model = modelId(options.model ?? prompt.model ?? defaultModel)
  const maxTokens = options.maxTokens ?? prompt.maxTokens ?? 1024
  const effort = options.effort ?? prompt.effort
  const known = findModel(model)
  if (known !== undefined && maxTokens > known.maxOutput) {
    throw new UsageError(`--max-tokens ${maxTokens}: ${model} writes at most ${known.maxOutput}`)
  }
  if (known !== undefined && effort !== undefined && !known.efforts.includes(effort)) {
    const accepted = known.efforts.length === 0 ? 'none' : known.efforts.join(', ')
    throw new UsageError(`--effort ${effort}: ${model} accepts ${accepted}`)
  }
  return effort === undefined ? { model, maxTokens } : { model, maxTokens, effort }
}

type PaceFlags = Pick<SummarizeOptions, 'rpm' | 'itpm' | 'otpm' | 'latency' | 'concurrency'>

/** What the pace starts from: what the user said of the limits, and guesses for the rest. */
export function paceSettings(
  { rpm, itpm, otpm, latency, concurrency }: PaceFlags,
  model: string,
): RateLimitSettings {
  const most = concurrency ?? largestPool
  return {
    given: {
      ...(rpm !== undefined && { requests: rpm }),
      ...(itpm !== undefined && { inputTokens: itpm }),
      ...(otpm !== undefined && { outputTokens: otpm }),
    },
    slots: { first: Math.min(most, firstSlots(rpm, latency ?? 3)), most },
    charactersPerToken: findModel(model)?.charsPerToken ?? 2.5,
  }
}
