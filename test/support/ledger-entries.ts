import { buildReportJson, type ReportJsonOptions } from '../../src/core/report/build-report-json.ts'
import type { RecordedRun } from '../../src/core/report/recorded-run.ts'
import {
  type DocumentEntry,
  ledgerFormatVersion,
  type RunEnd,
  type RunStart,
} from '../../src/core/run/ledger-entry.ts'

const runStartMs = Date.parse('2026-11-22T12:00:00Z')
const madeWith = { prompt: 'summarize@v2', model: 'claude-haiku-5-5' }

/** Returns the time `ms` milliseconds after the run start. */
export const timestampAt = (ms: number) => new Date(runStartMs + ms).toISOString()

export const runStart: RunStart = {
  type: 'run_start',
  format_version: ledgerFormatVersion,
  started_at: timestampAt(0),
  run_id: 'r1',
  program_version: '1',
  cwd: '..',
  ...madeWith,
}

export const runEnd: RunEnd = {
  type: 'run_end',
  format_version: ledgerFormatVersion,
  ended_at: timestampAt(60_000),
  run_id: 'r1',
  duration_ms: 60_000,
  documents: { summarized: 0, failed: 0, skipped: 0, pending: 0 },
  skipped_by_reason: {},
  requests: 300,
  retries_by_cause: {},
  max_in_flight: 12,
  limits: { requests: 300 },
}

/** Creates the entry of a summarized document; `fields` override its properties. */
export function createDocumentEntry(path: string, fields: Partial<DocumentEntry> = {}): DocumentEntry {
  const usage = {
    input_tokens: 1000,
    cache_creation_5m_input_tokens: 0,
    cache_creation_1h_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 100,
  }
  return {
    type: 'document',
    format_version: ledgerFormatVersion,
    path,
    status: 'summarized',
    ended_at: timestampAt(1000),
    settings_hash: 'r',
    ...madeWith,
    usage,
    cost_usd: 0.00015,
    elapsed_ms: 500,
    wait_ms: 100,
    latency_ms: 400,
    attempts: 1,
    request_id: null,
    ...fields,
  }
}

/** Creates the entry of a document with a permanent failure. */
export function createFailedEntry(path: string, message: string): DocumentEntry {
  const error = { kind: 400, type: 'invalid_request_error', message, transient: false } as const
  return createDocumentEntry(path, { status: 'failed', error })
}

/** Builds the report of these runs. */
export function createReport(runs: readonly RecordedRun[], texts: ReportJsonOptions['texts'] = new Map()) {
  return buildReportJson(runs, { createdAt: timestampAt(90_000), programVersion: '1.0.0', texts })
}
