import { resolve } from 'node:path'
import { defaultOutputFolder } from '../config/flags/output-flags.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { ExitError, UsageError } from '../errors.ts'
import { createProvider } from '../run/provider.ts'
import { loadRequestBuilder } from '../run/request-builder.ts'
import type { Runtime } from '../runtime.ts'
import { checkApi } from './api-checks.ts'
import { type Check, failedCheck, passed } from './check-result.ts'
import { checkConverters } from './converter-checks.ts'
import {
  checkCredentials,
  checkPrices,
  checkProvider,
  checkProxy,
  checkSettings,
  toCredentialsError,
} from './local-checks.ts'
import { checkOutput } from './output-checks.ts'

/**
 * Checks everything that a run with these options needs. Writes nothing, and sends only requests that are free
 * of charge.
 * @param origins where the value of each setting comes from
 */
export async function runChecks(
  options: SummarizeOptions,
  origins: readonly string[],
  runtime: Runtime,
  version: string,
  signal: AbortSignal,
): Promise<Check[]> {
  const checks = [passed('version', `claude-batch ${version}, ${runtime.platform}`), checkSettings(origins)]
  const models = await checkPrompt(options, runtime, checks)
  if (models !== undefined) {
    checks.push(...checkPrices(models, options, runtime))
    checks.push(...(await checkConnection(options, models, runtime, signal)))
  }
  checks.push(...(await checkConverters(options.convert ?? {}, runtime)))
  const name = options.out ?? defaultOutputFolder
  if (name !== '-') checks.push(...(await checkOutput(resolve(runtime.cwd, name), name, runtime)))
  return checks
}

/** Loads the prompt. Returns the models that it uses; undefined if it cannot be used. */
async function checkPrompt(
  options: SummarizeOptions,
  { cwd }: Pick<Runtime, 'cwd'>,
  checks: Check[],
): Promise<readonly string[] | undefined> {
  try {
    const { promptChoice } = await loadRequestBuilder(options, { cwd, inputRoots: [] })
    checks.push(passed('prompt', `${promptChoice.prompt} (${promptChoice.promptSource})`))
    return [...new Set(promptChoice.models)]
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    checks.push(failedCheck('prompt', 'usage', error.message))
    return undefined
  }
}

async function checkConnection(
  options: SummarizeOptions,
  models: readonly string[],
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Check[]> {
  const checks: Check[] = []
  try {
    const provider = await createProvider(options, runtime)
    try {
      // Connecting fails if the key command fails.
      await provider.connect()
      checks.push(
        checkProvider(options, provider, models),
        checkProxy(provider.baseUrl, runtime),
        checkCredentials(options, runtime),
      )
      checks.push(...(await checkApi(provider, models, runtime, signal)))
    } finally {
      await provider.close()
    }
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ExitError)) throw error
    checks.push(toCredentialsError(error))
  }
  return checks
}
