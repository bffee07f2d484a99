import { setMaxListeners } from 'node:events'
import { resolveModelSettings } from '../config/model-settings.ts'
import type { Effort } from '../core/pricing/models.ts'
import { checkNames } from './check-arguments.ts'
import { checkModelSettings, type ModelSettings, modelSettingNames } from './client-options.ts'

/** Options of one call. They override those of the client. */
export interface CallOptions {
  /** `haiku`, `sonnet`, `opus` or a full model id. Each model of a client has a separate rate limiter. */
  readonly model?: string | undefined
  /** Maximum output tokens of an answer, including thinking. */
  readonly maxTokens?: number | undefined
  /** Effort level of the model. */
  readonly effort?: Effort | undefined
  /** When aborted, requests in flight are cancelled, and the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined
}

/** Options of a call that have been checked, with those of the client. */
export interface Call {
  readonly overrides: ModelSettings
  readonly signal: AbortSignal | undefined
}

/**
 * Checks the options of a call.
 * @param caller the name of the function
 * @param settings those of the client
 * @param otherNames options of this function that are checked elsewhere
 * @throws TypeError that names the option
 */
export function readCallOptions(
  caller: string,
  options: CallOptions,
  settings: ModelSettings,
  otherNames: readonly string[] = [],
): Call {
  checkNames(caller, options, ['model', 'maxTokens', 'effort', 'signal', ...otherNames])
  const { model, maxTokens, effort, signal } = options
  checkModelSettings(caller, { model, maxTokens, effort })
  const overrides = {
    model: model ?? settings.model,
    maxTokens: maxTokens ?? settings.maxTokens,
    effort: effort ?? settings.effort,
  }
  try {
    resolveModelSettings({}, overrides, modelSettingNames)
  } catch (error) {
    throw new TypeError(`${caller}: ${(error as Error).message}`)
  }
  return { overrides, signal: allowManyListeners(caller, signal) }
}

/** Allows many requests to listen to one signal: Node.js warns about a leak at more than ten listeners. */
function allowManyListeners(caller: string, signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined
  if (!(signal instanceof AbortSignal)) throw new TypeError(`${caller}: signal must be an AbortSignal`)
  setMaxListeners(0, signal)
  return signal
}
