import { formatExactUsd } from '../core/pricing/pricing-rules.ts'
import { addUsage, zeroUsage } from '../core/pricing/usage.ts'
import type { RunStats } from '../core/run/run-stats.ts'
import { escapeJson } from '../core/text/escape-json.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { getEventWriter, type NewEvent, setEventWriter } from './event-streams.ts'
import { type RunEvent, runEventFormatVersion } from './run-event.ts'

/**
 * Makes stderr a stream of JSON lines: from now on, every message is an event too. Does nothing if it is one.
 * @param getTime returns milliseconds since 1970
 */
export function writeEventsTo(stderr: Pick<NodeJS.WritableStream, 'write'>, getTime: () => number): void {
  if (getEventWriter(stderr) !== undefined) return
  const runs: RunStats[] = []
  const write = ({ event, ...fields }: NewEvent) => {
    const at = new Date(getTime()).toISOString()
    const line = { event, format_version: runEventFormatVersion, at, ...fields }
    stderr.write(`${escapeJson(JSON.stringify(replaceLoneSurrogates(line)))}\n`)
  }
  setEventWriter(stderr, {
    write,
    addResults: (stats) => void runs.push(stats),
    end: (exitCode) =>
      write({ event: 'end', exit_code: exitCode, ...(runs.length > 0 && { results: sumResults(runs) }) }),
  })
}

function sumResults(runs: readonly RunStats[]): NonNullable<Extract<RunEvent, { event: 'end' }>['results']> {
  const sum = (count: (run: RunStats) => number) => runs.reduce((total, run) => total + count(run), 0)
  const reasons = new Set(runs.flatMap(({ skippedByReason }) => [...skippedByReason.keys()]))
  return {
    documents: {
      summarized: sum(({ documents }) => documents.summarized),
      failed: sum(({ documents }) => documents.failed),
      skipped: sum(({ documents }) => documents.skipped),
      pending: sum(({ documents }) => documents.pending),
    },
    skipped_by_reason: Object.fromEntries(
      [...reasons].map((reason) => [reason, sum((run) => run.skippedByReason.get(reason)?.count ?? 0)]),
    ),
    requests: sum(({ requests }) => requests),
    usage: runs.reduce((total, { usage }) => addUsage(total, usage), zeroUsage),
    cost_usd: Number(formatExactUsd(runs.reduce((total, { cost }) => total + cost, 0n))),
    replies_with_unknown_cost: sum(({ repliesWithUnknownCost }) => repliesWithUnknownCost),
  }
}
