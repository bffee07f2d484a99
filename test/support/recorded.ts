import { type RecordedRun, type ReportFileOptions, reportFile } from '../../src/core/report/report-json.ts'
import type { DocumentLine, EndLine, RunLine } from '../../src/core/run/ledger-entry.ts'

const began = Date.parse('2026-11-22T12:00:00Z')
const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', recipe: 'r' }

/** So many milliseconds after the run began. */
export const at = (ms: number) => new Date(began + ms).toISOString()

export const runLine: RunLine = { v: 1, time: at(0), run: 'r1', version: '1', base: '..', ...facts }

export const endLine: EndLine = {
  v: 1,
  time: at(60_000),
  ended: 'r1',
  wall_ms: 60_000,
  documents: { summarized: 0, failed: 0, skipped: 0, pending: 0 },
  skipped: {},
  requests: 300,
  retries: {},
  most_in_flight: 12,
  limits: { requests: 300 },
}

/** A document that is done, or what the fields say. */
export function documentLine(path: string, fields: Partial<DocumentLine> = {}): DocumentLine {
  const usage = { input: 1000, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, output: 100 }
  const base = { v: 1, path, time: at(1000), elapsed_ms: 500, attempts: 1, request_id: null, usage }
  const done = { status: 'summarized', cost_usd: 0.00015, latency_ms: 400, wait_ms: 100 } as const
  return { ...base, ...facts, ...done, ...fields }
}

/** A document that is not done, for good. */
export function failedLine(path: string, message: string): DocumentLine {
  const error = { kind: 400, type: 'invalid_request_error', message, transient: false } as const
  return documentLine(path, { status: 'failed', error })
}

/** The report of these runs. */
export function reportOf(runs: readonly RecordedRun[], texts: ReportFileOptions['texts'] = new Map()) {
  return reportFile(runs, { made: at(90_000), program: '1.0.0', texts })
}
