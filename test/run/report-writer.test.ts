import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkReport, setUpReportRuns } from '../support/report-runs.ts'

describe('--report', () => {
  it('writes a JSON report of the run that conforms to its schema', async () => {
    const { run, json, simulator } = await setUpReportRuns()
    expect(await run('summarize', 'docs', '--report', 'reports/one.json')).toMatchObject({ code: 1 })
    const report = checkReport(await json('reports/one.json'))
    const { inputTokens, outputTokens } = simulator.stats().billed
    const cost = Number(((inputTokens * 0.1 + outputTokens * 0.5) / 1e6).toFixed(10))
    expect(report.totals).toMatchObject({
      summarized: 3,
      failed: 1,
      input_tokens: inputTokens,
      cost_usd: cost,
    })
    expect(report.runs).toMatchObject([
      {
        requests: 5,
        retries_by_cause: { '529': 1 },
        skipped_by_reason: { empty: 1 },
        stop_reason: null,
        total_pending: 0,
        simulated: false,
      },
    ])
    expect(report.documents.map(({ path, status }) => `${path} ${status}`).sort()).toEqual([
      'docs/a/x.md summarized',
      'docs/b/x.md summarized',
      'docs/c/x.md summarized',
      'docs/d/x.md failed',
    ])
    expect(report.groups.folder).toHaveLength(4)
    expect(report.errors).toMatchObject([{ count: 1, example_paths: ['docs/d/x.md'] }])
    expect(report.timeline?.finished.reduce((a, b) => a + b)).toBe(4)
    expect(report.latency?.count).toBe(3)
  })

  it('reports only the documents of the latest run, even if that run had nothing to do', async () => {
    const { run, json } = await setUpReportRuns()
    await run('summarize', 'docs/a', 'docs/b')
    await run('summarize', 'docs/a', 'docs/b', 'docs/c', '--report', 'r.json')
    const later = checkReport(await json('r.json'))
    expect(later.documents.map(({ path }) => path)).toEqual(['docs/c/x.md'])
    expect(later.runs).toMatchObject([{ skipped_by_reason: { unchanged: 2 } }])
    await run('summarize', 'docs/a', '--report', 'r.json')
    expect(checkReport(await json('r.json'))).toMatchObject({
      documents: [],
      totals: { cost_usd: 0 },
      latency: null,
    })
  })

  it('counts all documents of the folder, and links files relative to the page', async () => {
    const { run, cwd, json } = await setUpReportRuns()
    await run('summarize', 'docs/a', 'docs/b')
    await run('summarize', 'docs/a', 'docs/b', 'docs/c', '--report', 'reports/r.html')
    const html = await readFile(join(cwd, 'reports/r.html'), 'utf8')
    expect(html).toContain('<h1>All 3 documents summarized</h1>')
    expect(html).toContain('<bdi>this run: 1 summarized</bdi>')
    expect(html).toContain('<a href="../docs/c/x.md">')
    expect(html).toContain('href="../summaries/docs/c/x.md.summary.md"')
    const { stdout } = await run('report', '--run', 'last', '--format', 'html')
    expect(stdout).toContain('<h1>All 3 documents summarized</h1>')
    expect(stdout).not.toContain('href="../')
    await run('summarize', 'docs/a', '--report', 'r.json')
    expect(checkReport(await json('r.json')).output_folder).toMatchObject({ summarized: 3, failed: 0 })
  })

  it('writes a report that later runs skip among the documents', async () => {
    const { run } = await setUpReportRuns()
    for (let n = 0; n < 2; n++) {
      const { stderr } = await run('summarize', '.', '--report', 'docs/r.html', '--log', 'docs/log.log')
      expect(stderr).toMatch(
        n === 0 ? /documents {2}5:/ : /2 output files of earlier runs: docs\/log.log, docs\/r.html/,
      )
    }
  })

  it('reports documents whose summaries were printed to stdout', async () => {
    const { run, json, cwd } = await setUpReportRuns()
    const { stdout } = await run('summarize', 'docs', '-o', '-', '--report', 'r.json')
    expect(stdout).toContain('[simulated]')
    expect(checkReport(await json('r.json')).totals).toMatchObject({ summarized: 3, failed: 1 })
    expect(await readdir(cwd)).not.toContain('summaries')
  })

  it('reports why a run ended early', async () => {
    const { run, json } = await setUpReportRuns()
    await run('summarize', 'docs', '--max-cost', '0', '--report', 'r.json')
    const { runs } = checkReport(await json('r.json'))
    expect(runs).toMatchObject([
      { stop_reason: expect.stringContaining('stopped at --max-cost $0'), total_pending: 5 },
    ])
  })

  it('exits with 6 before any request if the file is not writable', async () => {
    const { run, cwd, simulator } = await setUpReportRuns()
    const { code, stderr } = await run('summarize', 'docs/a', '--report', 'docs/a/x.md/r.json')
    expect(code).toBe(6)
    expect(stderr).toMatch(/cannot write .*r\.json: /)
    expect(simulator.stats().requests).toBe(0)
    expect(await readdir(cwd)).toEqual(['docs'])
  })
})

describe('claude-batch report', () => {
  it('prints the same report for past runs, for one run or all', async () => {
    const { run, json, cwd } = await setUpReportRuns()
    await run('summarize', 'docs', '--prompt', 'summarize@v1')
    await run('summarize', 'docs/a', '--report', 'r.json', '--redo', 'settings')
    const all = checkReport(JSON.parse((await run('report', '--format', 'json')).stdout))
    expect(all.runs).toHaveLength(2)
    expect(all.totals).toMatchObject({ summarized: 4, failed: 1 })
    expect(all.documents).toHaveLength(4)
    expect(all.groups.prompt.map(({ name }) => name).sort()).toEqual(['summarize@v1', 'summarize@v3'])
    const sum = (rows: readonly { cost_usd: number | null }[]) =>
      rows.reduce((total, { cost_usd: cost }) => total + BigInt(Math.round((cost ?? 0) * 1e12)), 0n)
    for (const groups of [all.runs, ...Object.values(all.groups)])
      expect(sum(groups)).toBe(BigInt(Math.round((all.totals.cost_usd ?? 0) * 1e12)))

    const last = JSON.parse((await run('report', '--run', 'last', '--format', 'json')).stdout)
    const { created_at: _, ...expected } = await json('r.json')
    expect(last).toMatchObject(expected)
    const began = all.runs[0]?.started_at.slice(0, 19).replace('T', ' ') ?? ''
    const again = await run('report', 'summaries', '--run', all.runs[0]?.run_id ?? '', '--format', 'json')
    expect(JSON.parse(again.stdout).runs).toMatchObject([
      { started_at: expect.stringContaining(began.slice(0, 10)) },
    ])
    expect(await readdir(cwd)).toContain('r.json')
  })

  it.each(['day', 'model', 'prompt', 'folder'])('groups costs by %s', async (by) => {
    const { run } = await setUpReportRuns()
    await run('summarize', 'docs')
    const { stdout } = await run('report', '--group-by', by)
    expect(stdout).toMatch(new RegExp(`^${by} +done +failed +tokens in +out +cost\\n`))
    expect(stdout.trimEnd().split('\n')).toHaveLength(by === 'folder' ? 5 : 2)
  })

  it.each([
    [['--run', '2031'], 2, /no such run; the last run is "20/],
    [['--run', '2'], 2, /2 runs started then/],
    [['--group-by', 'day', '--format', 'json'], 2, /--group-by and --compare-estimate need --format text/],
    [['--prune', '--format', 'json'], 2, /--prune works only with/],
    [['--compare-estimate', 'docs'], 2, /--compare-estimate docs: not a regular file/],
    [['--compare-estimate', 'docs/a/x.md'], 2, /not an estimate/],
    [['--compare-estimate', 'new.json'], 2, /another version .*99/],
    [['--compare-estimate', 'damaged.json'], 2, /the estimate is damaged/],
    [['--compare-estimate', 'later.json'], 3, /no run started since the estimate of 2099/],
  ])('with %j exits with %i', async (flags, expected, message) => {
    const { run, cwd } = await setUpReportRuns()
    await run('summarize', 'docs/a')
    await run('summarize', 'docs/b')
    await run('summarize', 'docs', '--dry-run', '--report', 'good.json')
    const good = JSON.parse(await readFile(join(cwd, 'good.json'), 'utf8'))
    const odd = {
      new: { ...good, format_version: 99 },
      damaged: { ...good, input_tokens: {} },
      later: { ...good, created_at: '2099-01-01T00:00:00.000Z' },
    }
    for (const [name, estimate] of Object.entries(odd))
      await writeFile(join(cwd, `${name}.json`), JSON.stringify(estimate))
    const { code, stderr } = await run('report', ...flags)
    expect(stderr).toMatch(message)
    expect(code).toBe(expected)
  })
})
