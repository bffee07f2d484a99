import { isRecordName, isSummaryName } from '../document/output-path.ts'
import {
  type Check,
  isAmount,
  isBoolean,
  isDigits,
  isListOf,
  isNumber,
  isObject,
  isObjectWith,
  isOneOf,
  isRecordOf,
  isString,
  isText,
  isTime,
  nullable,
  optional,
} from '../text/check-shape.ts'

/** Tokens, see `Usage`. */
const isUsage = isObjectWith({
  input: isAmount,
  cacheWrite5m: isAmount,
  cacheWrite1h: isAmount,
  cacheRead: isAmount,
  output: isAmount,
})

const isTextKind = isOneOf('prose', 'code', 'cjk')

const stats = { size: isAmount, mtime: optional(isNumber) }

const made = { time: isTime, path: isText, recipe: isString }

const isUnchanged = isObjectWith({ ...made, ...stats, key: isString })

/** A clock that was set back, or a batch without times, makes one that is negative or no number, which JSON has as null. */
const isDuration = nullable(isNumber)

const finished = {
  ...made,
  status: isOneOf('summarized', 'failed', 'pending'),
  size: optional(isAmount),
  mtime: optional(isNumber),
  sha256: optional(isString),
  key: optional(isString),
  prompt: isString,
  model: isString,
  chars: optional(isAmount),
  kind: optional(isTextKind),
  chunks: optional(isAmount),
  usage: nullable(isUsage),
  cost_usd: nullable(isAmount),
  elapsed_ms: isDuration,
  wait_ms: optional(isDuration),
  retry_ms: optional(isDuration),
  latency_ms: optional(isDuration),
  attempts: isAmount,
  lost: optional(isAmount),
  uncounted: optional(isAmount),
  request_id: nullable(isString),
  batch: optional(isString),
  doubts: optional(isListOf(isString)),
  error: optional(
    isObjectWith({
      kind: (kind) => isString(kind) || isNumber(kind),
      type: isString,
      message: isString,
      transient: isBoolean,
    }),
  ),
}

/** A document's entry whose file is not written yet, as the journal has it. */
export const isUnwritten = isObjectWith(finished)

const output = { size: isAmount, mtime: isNumber, sha256: isString }

const isSummarized = isObjectWith({
  ...finished,
  ...stats,
  key: isString,
  output: isObjectWith({ ...output, file: isSummaryName }),
})

const isUnfinished = isObjectWith({
  ...finished,
  output: optional(isObjectWith({ ...output, file: (file) => isRecordName(file) || isSummaryName(file) })),
})

/** The entry that begins a run. */
export const isRunLine = isObjectWith({
  time: isTime,
  run: isString,
  version: isString,
  base: isText,
  prompt: isString,
  model: isString,
  simulated: optional(isOneOf(true)),
})

const isEndLine = isObjectWith({
  time: isTime,
  ended: isString,
  stopped: optional(isString),
  wall_ms: isNumber,
  documents: isObjectWith({
    summarized: isAmount,
    failed: isAmount,
    skipped: isAmount,
    pending: isAmount,
  }),
  skipped: isRecordOf(isAmount),
  requests: isAmount,
  retries: isRecordOf(isAmount),
  most_in_flight: isAmount,
  limits: isRecordOf(isAmount),
  bound_by: optional(isString),
})

const isDroppedLine = isObjectWith({
  time: isTime,
  dropped: isObjectWith({
    summarized: isAmount,
    failed: isAmount,
    pending: isAmount,
    usage: isUsage,
    cost_picodollars: isDigits,
    unknown_cost: isAmount,
    lost: isAmount,
  }),
})

const byStatus = new Map<unknown, Check>([
  ['summarized', isSummarized],
  ['failed', isUnfinished],
  ['pending', isUnfinished],
  ['unchanged', isUnchanged],
  ['pruned', isObjectWith({ time: isTime, path: isText })],
])

/** Each kind of entry has one of these, which tells the kind. */
const kinds = ['run', 'ended', 'dropped', 'path', 'damaged', 'newer']

/** Whether a value is an entry of the ledger, of whichever kind, with every field that the code relies on. */
export function isLedgerLine(value: unknown): boolean {
  if (!isObject(value) || kinds.filter((kind) => kind in value).length !== 1) return false
  if ('run' in value) return isRunLine(value)
  if ('ended' in value) return isEndLine(value)
  if ('dropped' in value) return isDroppedLine(value)
  return byStatus.get(value['status'])?.(value) ?? false
}
