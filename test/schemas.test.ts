import { readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { compactLedger } from '../src/storage/ledger/compact-ledger.ts'
import { setUpReportRuns } from './support/report-runs.ts'

const schemas = resolve(import.meta.dirname, '../dist/schemas')
// In this test, fields that a schema does not name are errors, so that each schema names all fields.
const validators = new Ajv2020.default({ strict: false, allErrors: true, formats: { 'date-time': true } })

/** The errors of a value against a shipped schema, or undefined if the value matches. */
async function findErrors(schema: string, value: unknown) {
  const text = await readFile(join(schemas, `${schema}.json`), 'utf8')
  const validate = validators.compile(closeObjects(JSON.parse(text)) as object)
  return validate(value) ? undefined : validate.errors
}

function closeObjects(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closeObjects)
  if (typeof schema !== 'object' || schema === null) return schema
  const closed = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, closeObjects(value)]),
  )
  return 'properties' in schema && schema.properties !== null && 'required' in schema
    ? { ...closed, additionalProperties: false }
    : closed
}

const parseLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('the shipped schemas', () => {
  it('match every type of ledger entry', async () => {
    const { cwd, run } = await setUpReportRuns()
    const file = join(cwd, 'summaries/.claude-batch/ledger.jsonl')
    await run('summarize', 'docs')
    await writeFile(join(cwd, 'docs/a/x.md'), 'Another note about the harbour.')
    await utimes(join(cwd, 'docs/b/x.md'), 1, 1)
    await run('summarize', 'docs')
    await rm(join(cwd, 'docs/c'), { recursive: true })
    await run('report', '--prune')
    const entries = parseLines(await readFile(file, 'utf8'))
    await compactLedger(file, '..')
    entries.push(...parseLines(await readFile(file, 'utf8')))
    const types = ['run_start', 'run_end', 'document', 'unchanged', 'pruned', 'compacted']
    expect(new Set(entries.map(({ type }) => type))).toEqual(new Set(types))
    for (const entry of entries)
      expect([entry, await findErrors('ledger', entry)]).toEqual([entry, undefined])
  })

  it('match log entries of successful, failed and retried attempts', async () => {
    const { cwd, run } = await setUpReportRuns()
    await run('summarize', 'docs', '--log', 'log.jsonl')
    const entries = parseLines(await readFile(join(cwd, 'log.jsonl'), 'utf8'))
    expect(entries).toHaveLength(5)
    for (const entry of entries)
      expect([entry, await findErrors('request-log', entry)]).toEqual([entry, undefined])
  })

  it('match JSONL lines of summarized, failed and skipped documents', async () => {
    const { run } = await setUpReportRuns()
    const { stdout } = await run('summarize', 'docs', '-o', '-', '--format', 'jsonl')
    const lines = parseLines(stdout)
    expect(new Set(lines.map(({ status }) => status))).toEqual(new Set(['summarized', 'failed', 'skipped']))
    for (const line of lines) expect([line, await findErrors('jsonl', line)]).toEqual([line, undefined])
  })

  it('match JSONL lines of an export, of summaries and failures', async () => {
    const { cwd, run } = await setUpReportRuns()
    await run('summarize', 'docs', '--words', '500')
    await writeFile(join(cwd, 'summaries/docs/a/x.md.summary.md'), 'Edited.')
    const lines = parseLines((await run('export', '--status', 'summarized,failed')).stdout)
    expect(lines.map(({ status }) => status)).toEqual(['summarized', 'summarized', 'summarized', 'failed'])
    expect(lines[0]).toMatchObject({ edited: true, simulated: true, quality_issues: ['length'] })
    for (const line of lines) expect([line, await findErrors('jsonl', line)]).toEqual([line, undefined])
  })

  it('match a report, and an estimate based on earlier results', async () => {
    const { cwd, run, json } = await setUpReportRuns()
    await run('summarize', 'docs', '--report', 'report.json')
    expect(await findErrors('report', await json('report.json'))).toBeUndefined()
    await run('summarize', 'docs', '--force', '--dry-run', '--report', 'estimate.json')
    const estimate = JSON.parse(await readFile(join(cwd, 'estimate.json'), 'utf8'))
    expect(await findErrors('estimate', estimate)).toBeUndefined()
  })
})
