import type { Fingerprint } from '../document/document.ts'
import type { Failure } from '../errors/failure.ts'
import { billOf, costUsd } from '../pricing/cost.ts'
import type { Account } from '../pricing/totals.ts'
import type { Usage } from '../pricing/usage.ts'
import type { LimitRates } from '../rate-limit/limiter-state.ts'
import type { Attempt } from '../request/attempt.ts'
import type { TextKind } from '../text/text-kind.ts'
import { truncate } from '../text/truncate.ts'
import { isLedgerLine } from './check-ledger-entry.ts'
import type { Outcome } from './outcome.ts'
import type { RunFacts } from './provenance.ts'

/** Counts changes that an older reader would misunderstand; fields are added without. `docs/ledger.md` describes it. */
export const ledgerVersion = 1

export type LedgerLine = RunLine | EndLine | DocumentLine | UnchangedLine | PrunedLine | DroppedLine

/** Begins a run; what follows up to the next one is its. */
export interface RunLine {
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
export interface EndLine {
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
export interface DocumentLine {
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
  readonly output?: Output
  readonly error?: Pick<Failure, 'kind' | 'type' | 'message' | 'transient'>
}

/** A file below the output folder. */
export interface Output {
  /** With `/`. */
  readonly file: string
  readonly size: number
  readonly mtime: number
  readonly sha256: string
}

/** A document that looked changed and was not: its summary stands, under this size, time and recipe. */
export interface UnchangedLine {
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
interface PrunedLine {
  readonly v: number
  readonly time: string
  readonly path: string
  readonly status: 'pruned'
}

/** What lines of the run above it came to that were dropped since, as later ones had taken their place. */
export interface DroppedLine {
  readonly v: number
  readonly time: string
  readonly dropped: Account
}

/** The line for an outcome, but for what was written; undefined where there is nothing to remember. */
export function lineOf(
  outcome: Outcome,
  time: string,
  facts: RunFacts,
): DocumentLine | UnchangedLine | undefined {
  const { source, asked, attempts, status } = outcome
  const { recipe, prompt, model } = asked?.facts ?? facts
  const { path } = source
  if (status === 'skipped') {
    if (!standingTypes.has(outcome.type) || asked === undefined) return undefined
    const { key, bytes } = asked
    return { v: ledgerVersion, time, path, status: 'unchanged', ...statsOf(bytes), recipe, key }
  }
  if (status === 'pending' && attempts.length === 0) return undefined
  const last = attempts.at(-1)
  const bill = billOf(attempts)
  return {
    v: ledgerVersion,
    time,
    path,
    status,
    ...(asked !== undefined && { ...statsOf(asked.bytes), sha256: asked.bytes.sha256, key: asked.key }),
    recipe,
    prompt,
    model: last?.model ?? model,
    ...(asked !== undefined && attempts.length > 0 && { chars: asked.characters, kind: asked.kind }),
    ...(asked?.chunks !== undefined && { chunks: asked.chunks }),
    usage: bill.known.usage ?? null,
    cost_usd: costUsd(bill.known),
    ...(bill.uncounted > 0 && { uncounted: bill.uncounted }),
    elapsed_ms: Math.round(outcome.elapsedMs),
    ...timesOf(outcome),
    ...(last?.status === 200 && last.batch === undefined && { latency_ms: Math.round(last.elapsedMs) }),
    attempts: attempts.length,
    ...(bill.lost > 0 && { lost: bill.lost }),
    request_id: last?.requestId ?? null,
    ...(last?.batch !== undefined && { batch: last.batch }),
    ...(outcome.status === 'summarized' && outcome.doubts?.length && { doubts: outcome.doubts }),
    ...(outcome.status === 'failed' && { error: errorOf(outcome.failure) }),
  }
}

function timesOf({ asked, attempts, elapsedMs }: Outcome) {
  const [first, last] = [attempts[0], attempts.at(-1)]
  if (first === undefined || last === undefined) return {}
  const sent = first === last ? 0 : msBetween(first, last)
  if (sent === undefined) return {}
  const wait = Math.max(0, Math.round(elapsedMs - sent - last.elapsedMs))
  // Between the first and the last request about chunks there are others, not only retries.
  const retried = asked?.chunks === undefined && attempts.some(({ fault }) => fault !== undefined)
  return { wait_ms: wait, ...(retried && { retry_ms: Math.round(sent) }) }
}

/** From sending one to sending the other: milliseconds; undefined where they have no common clock. */
function msBetween(first: Attempt, last: Attempt): number | undefined {
  if (first.startMs === undefined || last.startMs === undefined) return undefined
  // Attempts for several chunks are not in the order of sending.
  return Math.max(0, last.startMs - first.startMs)
}

/** Ways to be skipped for a summary that stands, as it was written or as somebody edited it. */
const standingTypes: ReadonlySet<string> = new Set(['unchanged', 'edited'])

function statsOf({ size, mtimeMs }: Fingerprint) {
  return mtimeMs === undefined ? { size } : { size, mtime: mtimeMs }
}

/** Without the request id, which has its own field, and no longer than a line for people. */
function errorOf({ kind, type, message, transient }: Failure): NonNullable<DocumentLine['error']> {
  return { kind, type, message: truncate(message, 300), transient }
}

/** What reading one line gave. */
export type ParsedLine = LedgerLine | DamagedLine | { readonly newer: number }

/** An entry that was torn or overwritten, or that no version of claude-batch writes like this. */
export interface DamagedLine {
  readonly damaged: string
  /** Whose it was, where that much can be made out. */
  readonly path?: string
  /** The SHA-256 of the summary, or the beginning of it, where that much can be made out. */
  readonly hash?: string
}

/** Reads a line, whatever is in it. */
export function parseLine(text: string): ParsedLine {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    return damaged(text)
  }
  const { v } = (line ?? {}) as Record<string, unknown>
  if (typeof v === 'number' && v > ledgerVersion) return { newer: v }
  return v === ledgerVersion && isLedgerLine(line) ? (line as LedgerLine) : damaged(text)
}

/** No entry is longer, and in a text of millions of characters the patterns overflow the stack: characters. */
const longestSearched = 100_000

function damaged(text: string): DamagedLine {
  const searched = text.slice(0, longestSearched)
  const quoted = /"path":("(?:[^"\\]|\\.)*")/.exec(searched)?.[1]
  // Fewer digits could be the beginning of another file's.
  const hash = /"output":\{[^{}]*"sha256":"([0-9a-f]{12,64})/.exec(searched)?.[1]
  try {
    const path = quoted === undefined ? undefined : (JSON.parse(quoted) as string)
    return { damaged: text, ...(path !== undefined && { path }), ...(hash !== undefined && { hash }) }
  } catch {
    return { damaged: text }
  }
}
