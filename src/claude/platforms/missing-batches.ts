import type { BatchApi } from '../../core/batch/batch-api.ts'
import { AskError } from '../../core/errors/ask-error.ts'

/**
 * Returns the batches of a provider that has none: no batch is found, and none can be created.
 * @param label the provider's name for people
 */
export function createMissingBatches(label: string): BatchApi {
  const reject = () => Promise.reject(createNotFoundError(label))
  return {
    formatEntry: (id) => JSON.stringify({ custom_id: id }),
    create: reject,
    retrieve: reject,
    cancel: reject,
    listSince: () => Promise.resolve({ batches: [], isComplete: true }),
    // biome-ignore lint/correctness/useYield: there is nothing to yield.
    async *fetchResults() {
      throw createNotFoundError(label)
    },
  }
}

function createNotFoundError(label: string): AskError {
  return new AskError({
    kind: 'status',
    status: 404,
    type: 'not_found_error',
    message: `${label} has no batches`,
    operation: 'batches',
  })
}
