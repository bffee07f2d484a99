import { describe, expect, it } from 'vitest'
import { ledgerOf } from '../faults/invariants.ts'
import { checkReport, setUpReportRuns } from '../support/report-runs.ts'
import { startCli, startService } from '../support/run-cli.ts'

describe('claude-batch report', () => {
  it('reports the finished documents of a killed run', async () => {
    const { cwd, run } = await setUpReportRuns()
    const { env } = await startService({ latency: { medianMs: 30 } })
    const started = await startCli(
      ['summarize', 'docs', '--concurrency', '1'],
      { cwd, env },
      async () => (await ledgerOf(cwd)).length > 0,
    )
    started.child.kill('SIGKILL')
    await started.ended
    const report = checkReport(JSON.parse((await run('report', '--format', 'json')).stdout))
    expect(report.runs).toMatchObject([{ ended_at: null, requests: null, limited_by: null }])
    expect(report.totals.summarized).toBeGreaterThan(0)
  })
})
