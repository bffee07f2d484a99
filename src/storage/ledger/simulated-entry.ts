import type { DocumentEntry, RunStart } from '../../core/run/ledger-entry.ts'

/** Which simulator replied: the one of a run with `--simulate`, or one that `claude-batch simulate` serves. */
export type SimulatedBy = 'run' | 'server'

/**
 * Whether a run can learn the lengths of replies, or the rate limits, from an earlier run. What a simulator replies has
 * the length of no real reply.
 */
export function canLearnFrom(
  earlier: Pick<RunStart, 'simulated'> | undefined,
  { isSimulated }: { readonly isSimulated: boolean },
): boolean {
  return isSimulated || !earlier?.simulated
}

/** Returns which simulator a result comes from; undefined for a result of the API. */
export function findSimulator(
  { request_id: requestId, batch_id: batchId }: Pick<DocumentEntry, 'request_id' | 'batch_id'>,
  run: RunStart | undefined,
): SimulatedBy | undefined {
  if (run?.simulated) return 'run'
  return requestId?.startsWith('req_sim') || batchId?.startsWith('msgbatch_sim') ? 'server' : undefined
}
