import type { SummarizeOptions } from '../config/flags.ts'
import { defaultModel, findModel, modelId } from '../core/models.ts'
import type { LimitRates } from '../core/pace.ts'
import type { Prompt } from '../core/prompt.ts'
import type { Settings } from '../core/request.ts'
import { UsageError } from '../errors.ts'

/** A flag goes before the prompt's own wish, which goes before the default. */
export function settingsOf(prompt: Prompt, options: SummarizeOptions): Settings {
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

/** The limits that the user set. */
export function givenLimits({ rpm, itpm, otpm }: SummarizeOptions): LimitRates {
  return {
    ...(rpm !== undefined && { requests: rpm }),
    ...(itpm !== undefined && { inputTokens: itpm }),
    ...(otpm !== undefined && { outputTokens: otpm }),
  }
}
