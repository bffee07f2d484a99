import type { DocumentRef } from '../../core/document/document.ts'
import { BatchError } from '../../core/errors/run-error.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import type { Shutdown } from '../shutdown.ts'
import type { ItemSettings } from './batch-filler.ts'

export interface CanaryOptions {
  /** Summarizes documents with live requests. */
  readonly runLive: (sources: readonly DocumentRef[]) => AsyncIterable<Outcome>
  /** Whether the API has accepted a request with this document's settings before. */
  readonly hasSucceededBefore: (path: string) => boolean
  readonly getItemSettings: (path: string) => Pick<ItemSettings, 'provenance'>
  readonly shutdown: Shutdown
  readonly listener: CanaryListener
}

export interface CanaryListener {
  /** Called before a document is sent live, in place of the first document of a batch. */
  onCanary(document: DocumentRef): void
}

/** After this many refused canary requests, the request settings are assumed to be wrong. */
const maxCanaries = 5

/**
 * Sends canary requests: one live request for each settings hash that the API has not accepted before. The
 * API validates the requests of a batch only when it processes them, so one mistake could fail 100,000
 * requests. The canary's answer is used as the summary of its document.
 * @param provenSettings settings hashes that the API has accepted; newly accepted ones are added
 * @returns the documents that are still to be sent
 */
export async function* runCanaries(
  sources: readonly DocumentRef[],
  provenSettings: Set<string>,
  { runLive, hasSucceededBefore, getItemSettings, shutdown, listener }: CanaryOptions,
): AsyncGenerator<Outcome, readonly DocumentRef[]> {
  const left = new Set(sources)
  const getSettingsHash = ({ path }: DocumentRef) => getItemSettings(path).provenance.settingsHash
  for (const source of sources)
    if (hasSucceededBefore(source.path)) provenSettings.add(getSettingsHash(source))
  const failedCanaries = new Map<string, number>()
  for (const source of sources) {
    const settings = getSettingsHash(source)
    if (provenSettings.has(settings)) continue
    if (shutdown.drainSignal.aborted) break
    left.delete(source)
    listener.onCanary(source)
    for await (const outcome of runLive([source])) {
      yield outcome
      if (outcome.attempts.length === 0) continue
      if (outcome.attempts.at(-1)?.error === undefined) provenSettings.add(settings)
      else if (outcome.status === 'failed') {
        const failures = (failedCanaries.get(settings) ?? 0) + 1
        failedCanaries.set(settings, failures)
        if (failures === maxCanaries) shutdown.drain(createCanaryError(outcome.failure.transient))
      }
    }
  }
  return [...left]
}

function createCanaryError(transient: boolean): BatchError {
  const message = `none of the first ${maxCanaries} requests was answered live, so no batch was created for the rest`
  return new BatchError(message, transient)
}
