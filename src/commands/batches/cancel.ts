import { resolve } from 'node:path'
import type { BatchesOptions } from '../../config/batches-flags.ts'
import type { BatchApi } from '../../core/batch/batch-api.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { isNotFound } from '../../core/errors/request-error.ts'
import { AccountError, RunError, UnknownBatchError } from '../../core/errors/run-error.ts'
import { quoteShellWord } from '../../core/text/quote-shell-word.ts'
import { chooseExit, type Exit, ExitError, toEnding, UsageError } from '../../errors.ts'
import { lockOutputFolder } from '../../run/lock-output-folder.ts'
import { createProvider } from '../../run/provider.ts'
import type { Runtime } from '../../runtime.ts'
import { deleteBatchFiles } from '../../storage/batch-files.ts'
import { printMessage } from '../../ui/print-message.ts'
import { findUncollectedBatches, formatNoBatches, getBatchLabel, type UncollectedBatch } from './list.ts'
import { checkEndpoint, neverAborted, noModelOptions } from './status.ts'

/**
 * Cancels batches. Results that are ready by then are billed, and can still be collected. With `--id`,
 * removes a batch that the API does not know. An error with one batch does not prevent canceling the others.
 */
export async function cancelBatches(
  dir: string,
  options: BatchesOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const batches = await findUncollectedBatches(dir, runtime, options.id)
  const print = (text: string) => printMessage(runtime, text)
  if (batches.length === 0) {
    print(formatNoBatches(dir))
    return 'ok'
  }
  const provider = await createProvider({ ...options, ...noModelOptions }, runtime)
  try {
    const { batches: batchApi } = await provider.connect()
    const giveUp =
      options.id === undefined
        ? undefined
        : (batch: UncollectedBatch) => giveUpBatch(batch, dir, runtime, version)
    const collectCommand = `claude-batch batches collect ${quoteShellWord(dir)}`
    const exits: Exit[] = ['ok']
    for (const batch of batches) {
      try {
        await checkEndpoint(batch, provider.baseUrl, batchApi)
        print(await cancelBatch(batch, batchApi, giveUp, collectCommand))
      } catch (error) {
        const knownError = error instanceof AskError ? toRunError(error, provider.baseUrl) : error
        if (!(knownError instanceof RunError || knownError instanceof UsageError)) throw knownError
        const { exit, text } =
          knownError instanceof RunError
            ? toEnding(knownError)
            : { exit: knownError.exit, text: knownError.message }
        print(text)
        exits.push(exit)
      }
    }
    return chooseExit(exits)
  } finally {
    await provider.close()
  }
}

/** Cancels a batch and returns a message about the result. @throws AskError; RunError */
async function cancelBatch(
  batch: UncollectedBatch,
  batchApi: BatchApi,
  giveUp: ((batch: UncollectedBatch) => Promise<string>) | undefined,
  collectCommand: string,
): Promise<string> {
  const { id, localId } = batch
  if (id === undefined)
    throw new ExitError(
      'usage',
      `the API has not confirmed the batch ${localId} yet; run ${collectCommand} to check whether it was created`,
    )
  try {
    const { state } = await batchApi.retrieve(id, neverAborted)
    // The batch may end before the cancel request, which the API answers with an error.
    const currentState =
      state === 'ended'
        ? state
        : await batchApi.cancel(id, neverAborted).then(getState, expectEnded(batchApi, id))
    return currentState === 'ended'
      ? `the batch ${id} has ended already; to fetch it, run: ${collectCommand}`
      : `the batch ${id} is being canceled; results that are ready are billed; to fetch them, run: ${collectCommand}`
  } catch (error) {
    if (!(error instanceof AskError) || !isNotFound(error.requestError)) throw error
    if (giveUp !== undefined) return giveUp(batch)
    throw new UnknownBatchError(id, localId)
  }
}

function getState({ state }: { readonly state: string }): string {
  return state
}

function expectEnded(batchApi: BatchApi, id: string): (error: unknown) => Promise<string> {
  return async (error) => {
    const { state } = await batchApi.retrieve(id, neverAborted)
    if (state === 'ended') return state
    throw error
  }
}

/**
 * Deletes the stored files of a batch. Locks the output folder, so that no run collects the batch at the same
 * time.
 */
async function giveUpBatch(
  batch: UncollectedBatch,
  dir: string,
  runtime: Runtime,
  version: string,
): Promise<string> {
  const out = resolve(runtime.cwd, dir)
  const unlock = await lockOutputFolder(out, runtime, { command: 'batches cancel', version })
  try {
    await deleteBatchFiles(out, batch.localId)
  } finally {
    await unlock()
  }
  return `the API does not know the batch ${getBatchLabel(batch)}, so it was removed; the next run sends its documents again`
}

function toRunError(error: AskError, baseUrl: string): RunError {
  return new AccountError(error, '', baseUrl)
}
