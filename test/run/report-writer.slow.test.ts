import { describe, expect, it } from 'vitest'
import { reportSetting, validReport } from '../support/report-setting.ts'
import { running, serviceFor } from '../support/run-cli.ts'

describe('claude-batch report', () => {
  it('knows of a run that was killed what its documents tell', async () => {
    const { cwd, run } = await reportSetting()
    const { env, simulator } = await serviceFor({ latency: { medianMs: 30 } })
    const started = await running(
      ['summarize', 'docs', '--concurrency', '1'],
      { cwd, env },
      () => simulator.stats().requests > 2,
    )
    started.child.kill('SIGKILL')
    await started.ended
    const report = validReport(JSON.parse((await run('report', '--format', 'json')).stdout))
    expect(report.runs).toMatchObject([{ ended: null, requests: null, bound_by: null }])
    expect(report.totals.summarized).toBeGreaterThan(0)
  })
})
