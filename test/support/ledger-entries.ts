import {
  buildReportJson,
  type RecordedRun,
  type ReportJsonOptions,
} from '../../src/core/report/report-json.ts'
import type { DocumentEntry, RunEnd, RunStart } from '../../src/core/run/ledger-entry.ts'

const runStartMs = Date.parse('2026-11-22T12:00:00Z')
const provenance = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', recipe: 'r' }

/** So many milliseconds after the run began. */
export const timestampAt = (ms: number) => new Date(runStartMs + ms).toISOString()

export const runStart: RunStart = {
  v: 1,
  time: timestampAt(0),
  run: 'r1',
  version: '1',
  base: '..',
  ...provenance,
}

export const runEnd: RunEnd = {
  v: 1,
  time: timestampAt(60_000),
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
export function createDocumentEntry(path: string, fields: Partial<DocumentEntry> = {}): DocumentEntry {
  const usage = { input: 1000, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, output: 100 }
  const base = { v: 1, path, time: timestampAt(1000), elapsed_ms: 500, attempts: 1, request_id: null, usage }
  const done = { status: 'summarized', cost_usd: 0.00015, latency_ms: 400, wait_ms: 100 } as const
  return { ...base, ...provenance, ...done, ...fields }
}

/** A document that is not done, for good. */
export function createFailedEntry(path: string, message: string): DocumentEntry {
  const error = { kind: 400, type: 'invalid_request_error', message, transient: false } as const
  return createDocumentEntry(path, { status: 'failed', error })
}

/** The report of these runs. */
export function createReport(runs: readonly RecordedRun[], texts: ReportJsonOptions['texts'] = new Map()) {
  return buildReportJson(runs, { createdAt: timestampAt(90_000), programVersion: '1.0.0', texts })
}
