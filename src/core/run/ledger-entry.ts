import type { Fingerprint } from '../document/document.ts'
import type { Failure } from '../errors/failure.ts'
import { sumAttemptCosts, toUsdOrNull } from '../pricing/document-cost.ts'
import type { Totals } from '../pricing/totals.ts'
import type { Usage } from '../pricing/usage.ts'
import type { LimitRates } from '../rate-limit/limiter-state.ts'
import type { Attempt } from '../request/attempt.ts'
import type { TextKind } from '../text/text-kind.ts'
import { truncate } from '../text/truncate.ts'
import { isLedgerEntry } from './check-ledger-entry.ts'
import type { Outcome } from './outcome.ts'
import type { Provenance } from './provenance.ts'

/** Counts changes that an older reader would misunderstand; fields are added without. `docs/ledger.md` describes it. */
export const ledgerFormatVersion = 1

export type LedgerEntry = RunStart | RunEnd | DocumentEntry | UnchangedEntry | PrunedEntry | CompactedEntry

/** Begins a run; what follows up to the next one is its. */
export interface RunStart {
  readonly v: number
  /** ISO 8601, UTC. */
  readonly time: string
  readonly run: string
  /** Of the program. */
  readonly version: string
  /** The run's working directory, which the paths are relative to, relative to the output folder. */
  readonly base: string
  /** `summarize@v2`. */
  readonly prompt: string
  readonly model: string
  /** Nobody was paid: the answers came from the simulator in the program itself. */
  readonly simulated?: true
}

/** Ends a run that came to its end, in whatever way; one that was killed has none. */
export interface RunEnd {
  readonly v: number
  readonly time: string
  /** The run. */
  readonly ended: string
  /** Why it stopped before everything was done. */
  readonly stopped?: string
  readonly wall_ms: number
  readonly documents: Readonly<Record<Outcome['status'], number>>
  /** Of the skipped ones, how many for which reason. */
  readonly skipped: Readonly<Record<string, number>>
  readonly requests: number
  /** Sendings beyond a document's first, by what made them necessary. */
  readonly retries: Readonly<Record<string, number>>
  readonly most_in_flight: number
  /** Per minute: the limits that were kept to, given or told by the service. */
  readonly limits: LimitRates
  /** In words. */
  readonly bound_by?: string
}

/** A document that a run is finished with, for now. */
export interface DocumentEntry {
  readonly v: number
  readonly time: string
  readonly path: string
  /** `pending` only where something was sent: it may be billed. */
  readonly status: 'summarized' | 'failed' | 'pending'
  /** Bytes; with `mtime` and `sha256` absent where it could not be read. */
  readonly size?: number
  /** Milliseconds since 1970; absent for stdin. */
  readonly mtime?: number
  readonly sha256?: string
  readonly key?: string
  readonly recipe: string
  readonly prompt: string
  readonly model: string
  /** Of the whole prompt that was sent: how many characters, and of which kind. */
  readonly chars?: number
  readonly kind?: TextKind
  /** In how many chunks it was asked about; absent where one request held it. */
  readonly chunks?: number
  /** Tokens billed over all attempts whose answer the server counted; null where it counted none of the answers. */
  readonly usage: Usage | null
  /** Over all attempts whose cost is known; null where it is known of none of the answers. */
  readonly cost_usd: number | null
  /** Answers that are not, or not wholly, in the two: not counted, or of a model without a price. */
  readonly uncounted?: number
  readonly elapsed_ms: number
  /** From taking it up to its first request, and from that to its last one; left out where nothing, or only one, was sent. */
  readonly wait_ms?: number
  readonly retry_ms?: number
  /** Of the answer alone: from sending its request to the last byte. */
  readonly latency_ms?: number
  readonly attempts: number
  /** Attempts whose answer was lost on the way; they may be billed and are not in `usage`. */
  readonly lost?: number
  readonly request_id: string | null
  /** The Message Batch it came out of, if it did. */
  readonly batch?: string
  /** Why its summary may be worth a look: `copy`, `language`, `length`. */
  readonly doubts?: readonly string[]
  /** What was written for it. */
  readonly output?: OutputFile
  readonly error?: Pick<Failure, 'kind' | 'type' | 'message' | 'transient'>
}

/** A file below the output folder. */
export interface OutputFile {
  /** With `/`. */
  readonly file: string
  readonly size: number
  readonly mtime: number
  readonly sha256: string
}

/** A document that looked changed and was not: its summary stands, under this size, time and recipe. */
export interface UnchangedEntry {
  readonly v: number
  readonly time: string
  readonly path: string
  readonly status: 'unchanged'
  readonly size: number
  readonly mtime?: number
  readonly recipe: string
  readonly key: string
}

/** A document whose summary was taken away, on purpose: it counts as never summarized. */
interface PrunedEntry {
  readonly v: number
  readonly time: string
  readonly path: string
  readonly status: 'pruned'
}

/** What lines of the run above it came to that were dropped since, as later ones had taken their place. */
export interface CompactedEntry {
  readonly v: number
  readonly time: string
  readonly dropped: Totals
}

/** The line for an outcome, but for what was written; undefined where there is nothing to remember. */
export function toLedgerEntry(
  outcome: Outcome,
  time: string,
  provenance: Provenance,
): DocumentEntry | UnchangedEntry | undefined {
  const { document, requestMetadata, attempts, status } = outcome
  const { recipe, prompt, model } = requestMetadata?.provenance ?? provenance
  const { path } = document
  if (status === 'skipped') {
    if (!keptSummaryTypes.has(outcome.type) || requestMetadata === undefined) return undefined
    const { requestHash: key, fingerprint } = requestMetadata
    return {
      v: ledgerFormatVersion,
      time,
      path,
      status: 'unchanged',
      ...toFileStats(fingerprint),
      recipe,
      key,
    }
  }
  if (status === 'pending' && attempts.length === 0) return undefined
  const last = attempts.at(-1)
  const cost = sumAttemptCosts(attempts)
  return {
    v: ledgerFormatVersion,
    time,
    path,
    status,
    ...(requestMetadata !== undefined && {
      ...toFileStats(requestMetadata.fingerprint),
      sha256: requestMetadata.fingerprint.sha256,
      key: requestMetadata.requestHash,
    }),
    recipe,
    prompt,
    model: last?.model ?? model,
    ...(requestMetadata !== undefined &&
      attempts.length > 0 && { chars: requestMetadata.characters, kind: requestMetadata.kind }),
    ...(requestMetadata?.chunks !== undefined && { chunks: requestMetadata.chunks }),
    usage: cost.known.usage ?? null,
    cost_usd: toUsdOrNull(cost.known),
    ...(cost.uncounted > 0 && { uncounted: cost.uncounted }),
    elapsed_ms: Math.round(outcome.elapsedMs),
    ...toTimingFields(outcome),
    ...(last?.status === 200 && last.batchId === undefined && { latency_ms: Math.round(last.elapsedMs) }),
    attempts: attempts.length,
    ...(cost.lostReplies > 0 && { lost: cost.lostReplies }),
    request_id: last?.requestId ?? null,
    ...(last?.batchId !== undefined && { batch: last.batchId }),
    ...(outcome.status === 'summarized' &&
      outcome.qualityIssues?.length && { doubts: outcome.qualityIssues }),
    ...(outcome.status === 'failed' && { error: toErrorFields(outcome.failure) }),
  }
}

function toTimingFields({ requestMetadata, attempts, elapsedMs }: Outcome) {
  const [first, last] = [attempts[0], attempts.at(-1)]
  if (first === undefined || last === undefined) return {}
  const retryMs = first === last ? 0 : computeSendGapMs(first, last)
  if (retryMs === undefined) return {}
  const waitMs = Math.max(0, Math.round(elapsedMs - retryMs - last.elapsedMs))
  // Between the first and the last request about chunks there are others, not only retries.
  const hasRetries =
    requestMetadata?.chunks === undefined && attempts.some(({ error: fault }) => fault !== undefined)
  return { wait_ms: waitMs, ...(hasRetries && { retry_ms: Math.round(retryMs) }) }
}

/** From sending one to sending the other: milliseconds; undefined where they have no common clock. */
function computeSendGapMs(first: Attempt, last: Attempt): number | undefined {
  if (first.monotonicStartMs === undefined || last.monotonicStartMs === undefined) return undefined
  // Attempts for several chunks are not in the order of sending.
  return Math.max(0, last.monotonicStartMs - first.monotonicStartMs)
}

/** Ways to be skipped for a summary that stands, as it was written or as somebody edited it. */
const keptSummaryTypes: ReadonlySet<string> = new Set(['unchanged', 'modified'])

function toFileStats({ size, mtimeMs }: Fingerprint) {
  return mtimeMs === undefined ? { size } : { size, mtime: mtimeMs }
}

/** Without the request id, which has its own field, and no longer than a line for people. */
function toErrorFields({ kind, type, message, transient }: Failure): NonNullable<DocumentEntry['error']> {
  return { kind, type, message: truncate(message, 300), transient }
}

/** What reading one line gave. */
export type ParsedEntry = LedgerEntry | DamagedEntry | { readonly newer: number }

/** An entry that was torn or overwritten, or that no version of claude-batch writes like this. */
export interface DamagedEntry {
  readonly damaged: string
  /** Whose it was, where that much can be made out. */
  readonly path?: string
  /** The SHA-256 of the summary, or the beginning of it, where that much can be made out. */
  readonly summaryHash?: string
}

/** Reads a line, whatever is in it. */
export function parseLedgerEntry(text: string): ParsedEntry {
  let entry: unknown
  try {
    entry = JSON.parse(text)
  } catch {
    return toDamagedEntry(text)
  }
  const { v } = (entry ?? {}) as Record<string, unknown>
  if (typeof v === 'number' && v > ledgerFormatVersion) return { newer: v }
  return v === ledgerFormatVersion && isLedgerEntry(entry) ? (entry as LedgerEntry) : toDamagedEntry(text)
}

/** No entry is longer, and in a text of millions of characters the patterns overflow the stack: characters. */
const maxSearchedChars = 100_000

function toDamagedEntry(text: string): DamagedEntry {
  const searched = text.slice(0, maxSearchedChars)
  const quoted = /"path":("(?:[^"\\]|\\.)*")/.exec(searched)?.[1]
  // Fewer digits could be the beginning of another file's.
  const hash = /"output":\{[^{}]*"sha256":"([0-9a-f]{12,64})/.exec(searched)?.[1]
  try {
    const path = quoted === undefined ? undefined : (JSON.parse(quoted) as string)
    return {
      damaged: text,
      ...(path !== undefined && { path }),
      ...(hash !== undefined && { summaryHash: hash }),
    }
  } catch {
    return { damaged: text }
  }
}
