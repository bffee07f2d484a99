import { isErrorRecordName, isSummaryName } from '../document/output-path.ts'
import {
  isBoolean,
  isDigits,
  isListOf,
  isNonNegative,
  isObject,
  isObjectWith,
  isOneOf,
  isRecordOf,
  isSafeNumber,
  isString,
  isStringWithoutNul,
  isTimestamp,
  nullable,
  optional,
  type ShapeCheck,
} from '../text/shape-checks.ts'

/** Tokens, see `Usage`. */
const isUsage = isObjectWith({
  input: isNonNegative,
  cacheWrite5m: isNonNegative,
  cacheWrite1h: isNonNegative,
  cacheRead: isNonNegative,
  output: isNonNegative,
})

const isTextKind = isOneOf('prose', 'code', 'cjk')

const fileStats = { size: isNonNegative, mtime: optional(isSafeNumber) }

const identity = { time: isTimestamp, path: isStringWithoutNul, recipe: isString }

const isUnchangedEntry = isObjectWith({ ...identity, ...fileStats, key: isString })

/** A clock that was set back, or a batch without times, makes one that is negative or no number, which JSON has as null. */
const isDuration = nullable(isSafeNumber)

const documentFields = {
  ...identity,
  status: isOneOf('summarized', 'failed', 'pending'),
  size: optional(isNonNegative),
  mtime: optional(isSafeNumber),
  sha256: optional(isString),
  key: optional(isString),
  prompt: isString,
  model: isString,
  chars: optional(isNonNegative),
  kind: optional(isTextKind),
  chunks: optional(isNonNegative),
  usage: nullable(isUsage),
  cost_usd: nullable(isNonNegative),
  elapsed_ms: isDuration,
  wait_ms: optional(isDuration),
  retry_ms: optional(isDuration),
  latency_ms: optional(isDuration),
  attempts: isNonNegative,
  lost: optional(isNonNegative),
  uncounted: optional(isNonNegative),
  request_id: nullable(isString),
  batch: optional(isString),
  doubts: optional(isListOf(isString)),
  error: optional(
    isObjectWith({
      kind: (kind) => isString(kind) || isSafeNumber(kind),
      type: isString,
      message: isString,
      transient: isBoolean,
    }),
  ),
}

/** A document's entry whose file is not written yet, as the journal has it. */
export const isJournalEntry = isObjectWith(documentFields)

const outputFileFields = { size: isNonNegative, mtime: isSafeNumber, sha256: isString }

const isSummarizedEntry = isObjectWith({
  ...documentFields,
  ...fileStats,
  key: isString,
  output: isObjectWith({ ...outputFileFields, file: isSummaryName }),
})

const isUnsummarizedEntry = isObjectWith({
  ...documentFields,
  output: optional(
    isObjectWith({ ...outputFileFields, file: (file) => isErrorRecordName(file) || isSummaryName(file) }),
  ),
})

/** The entry that begins a run. */
export const isRunStart = isObjectWith({
  time: isTimestamp,
  run: isString,
  version: isString,
  base: isStringWithoutNul,
  prompt: isString,
  model: isString,
  simulated: optional(isOneOf(true)),
})

const isRunEnd = isObjectWith({
  time: isTimestamp,
  ended: isString,
  stopped: optional(isString),
  wall_ms: isSafeNumber,
  documents: isObjectWith({
    summarized: isNonNegative,
    failed: isNonNegative,
    skipped: isNonNegative,
    pending: isNonNegative,
  }),
  skipped: isRecordOf(isNonNegative),
  requests: isNonNegative,
  retries: isRecordOf(isNonNegative),
  most_in_flight: isNonNegative,
  limits: isRecordOf(isNonNegative),
  bound_by: optional(isString),
})

const isCompactedEntry = isObjectWith({
  time: isTimestamp,
  dropped: isObjectWith({
    summarized: isNonNegative,
    failed: isNonNegative,
    pending: isNonNegative,
    usage: isUsage,
    cost_picodollars: isDigits,
    unknown_cost: isNonNegative,
    lost: isNonNegative,
  }),
})

const checkByStatus = new Map<unknown, ShapeCheck>([
  ['summarized', isSummarizedEntry],
  ['failed', isUnsummarizedEntry],
  ['pending', isUnsummarizedEntry],
  ['unchanged', isUnchangedEntry],
  ['pruned', isObjectWith({ time: isTimestamp, path: isStringWithoutNul })],
])

/** Each kind of entry has one of these, which tells the kind. */
const typeFields = ['run', 'ended', 'dropped', 'path', 'damaged', 'newer']

/** Whether a value is an entry of the ledger, of whichever kind, with every field that the code relies on. */
export function isLedgerEntry(value: unknown): boolean {
  if (!isObject(value) || typeFields.filter((kind) => kind in value).length !== 1) return false
  if ('run' in value) return isRunStart(value)
  if ('ended' in value) return isRunEnd(value)
  if ('dropped' in value) return isCompactedEntry(value)
  return checkByStatus.get(value['status'])?.(value) ?? false
}
