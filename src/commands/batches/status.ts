import type { BatchesOptions } from '../../config/batches-flags.ts'
import type { BatchApi } from '../../core/batch/batch-api.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { classifyError } from '../../core/errors/classify-error.ts'
import { describeAccountError } from '../../core/errors/describe-account-error.ts'
import { describeFailure } from '../../core/errors/describe-failure.ts'
import { toFailure } from '../../core/errors/failure.ts'
import { formatDuration } from '../../core/text/format-duration.ts'
import { hasBatch } from '../../engine/batch/find-own-batches.ts'
import { type Exit, UsageError } from '../../errors.ts'
import { createProvider } from '../../run/provider.ts'
import type { Runtime } from '../../runtime.ts'
import { createStreamWriter } from '../../storage/fs/stream-writer.ts'
import { formatTable } from '../../ui/text-table.ts'
import {
  findUncollectedBatches,
  formatBatchColumns,
  formatNoBatches,
  getBatchLabel,
  type UncollectedBatch,
} from './list.ts'

/** Prints the state of each batch of an output folder at the API. */
export async function showBatchStatus(dir: string, options: BatchesOptions, runtime: Runtime): Promise<Exit> {
  const batches = await findUncollectedBatches(dir, runtime, options.id)
  const write = createStreamWriter(runtime.stdout, 'stdout')
  if (batches.length === 0) {
    await write(`${formatNoBatches(dir)}\n`)
    return 'ok'
  }
  const provider = await createProvider({ ...options, ...noModelOptions }, runtime)
  try {
    const { batches: batchApi } = await provider.connect()
    const describeState = async (batch: UncollectedBatch): Promise<string> => {
      if (!(await isAtEndpoint(batch, provider.baseUrl, batchApi)))
        return `belongs to ${batch.endpoint}, not to the current base URL`
      if (batch.id === undefined) return 'creation not confirmed; the next run looks for it'
      const { state, isArchived, createdAt } = await batchApi.retrieve(batch.id, neverAborted)
      if (isArchived) return 'ended; its results have expired'
      if (state === 'ended') return 'ended; ready to collect'
      const age = formatDuration(Math.max(0, runtime.clock.wallTime() - createdAt))
      return state === 'canceling' ? 'being canceled' : `in progress for ${age}`
    }
    const rows = [['batch', 'created', 'documents', 'prompt', 'state']]
    for (const batch of batches) {
      const state = await describeState(batch).catch((error: unknown) => {
        if (!(error instanceof AskError)) throw error
        const { requestError } = error
        return classifyError(requestError) === 'account'
          ? describeAccountError(requestError, '', provider.baseUrl)
          : describeFailure(toFailure(requestError))
      })
      rows.push([getBatchLabel(batch), ...formatBatchColumns(batch), state])
    }
    await write(formatTable(rows))
    return 'ok'
  } finally {
    await provider.close()
  }
}

/** Provider options that matter only for requests to models. */
export const noModelOptions = { simulate: false, rpm: undefined, itpm: undefined, otpm: undefined } as const

export const neverAborted: AbortSignal = new AbortController().signal

/** Returns whether the API at the base URL has a batch. It may have been created at another address of this API. */
async function isAtEndpoint(
  batch: UncollectedBatch,
  baseUrl: string,
  batchApi: Pick<BatchApi, 'retrieve'>,
): Promise<boolean> {
  return batch.endpoint === baseUrl || (await hasBatch(batchApi, batch, neverAborted)) === true
}

/** Checks that the API at the base URL has a batch. @throws UsageError if it does not, or does not answer */
export async function checkEndpoint(
  batch: UncollectedBatch,
  baseUrl: string,
  batchApi: Pick<BatchApi, 'retrieve'>,
): Promise<void> {
  if (!(await isAtEndpoint(batch, baseUrl, batchApi)))
    throw new UsageError(
      `the batch ${getBatchLabel(batch)} belongs to ${batch.endpoint}, and the base URL is ${baseUrl}; set ANTHROPIC_BASE_URL`,
    )
}
