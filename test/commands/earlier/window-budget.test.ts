import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compactLedger } from '../../../src/storage/ledger/compact-ledger.ts'
import { type CountedFolder, createCountedFolder } from '../../support/counted-folder.ts'

const documents = Object.fromEntries(
  Array.from({ length: 6 }, (_, n) => [
    `docs/${n}.md`,
    `# Note ${n}\n\n${'The ferry sails. '.repeat(20 + n)}\n`,
  ]),
)
const summarize = ['summarize', 'docs', '--concurrency', '1']
/** $1 per thousand tokens makes sums that can be compared. */
const prices = ['--prices', 'claude-haiku-5-5=1000/1000']

const ledgerOf = ({ cwd }: CountedFolder) => join(cwd, 'summaries/.claude-batch/ledger.jsonl')

async function readSpent(folder: CountedFolder): Promise<number> {
  const lines = (await readFile(ledgerOf(folder), 'utf8')).trim().split('\n')
  return lines.reduce((sum, line) => sum + (JSON.parse(line).cost_usd ?? 0), 0)
}

/** Sets all times in the ledger back. */
async function age(folder: CountedFolder, days: number): Promise<void> {
  const text = await readFile(ledgerOf(folder), 'utf8')
  const aged = text.replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, (time) =>
    JSON.stringify(new Date(Date.parse(JSON.parse(time)) - days * 86_400_000).toISOString()),
  )
  await writeFile(ledgerOf(folder), aged)
}

describe('--max-cost-per', () => {
  it('counts what the ledger says was spent in the window, and ends with 5', async () => {
    const folder = await createCountedFolder(documents)
    expect((await folder.run([...summarize, ...prices, '--max-cost-per', '30d=1000'])).code).toBe(0)
    const spent = await readSpent(folder)
    await writeFile(join(folder.cwd, 'docs/new.md'), 'A new document about gulls.')
    const full = await folder.run([...summarize, ...prices, '--max-cost-per', `30d=${spent.toFixed(3)}`])
    expect([full.code, full.hits]).toEqual([5, 0])
    expect(full.stderr).toMatch(
      /claude-batch: stopped at --max-cost-per 30d=[\d.]+, of which \$[\d.]+ was spent since \d{4}-\d\d-\d\d \d\d:\d\d UTC: .* the next request may cost \$[\d.]+; run the same command again later, or raise the cap\n$/,
    )
    // After the window, the amount is free again.
    await age(folder, 31)
    expect(await folder.run([...summarize, ...prices, '--max-cost-per', '30d=1000'])).toMatchObject({
      code: 0,
      hits: 1,
    })
  })

  it('is not exceeded by the runs of a window together', async () => {
    const folder = await createCountedFolder(documents)
    const flags = [...summarize, ...prices, '--max-cost-per', '1w=5']
    for (let n = 0; n < 4; n++) {
      const { code } = await folder.run(flags)
      expect([0, 5]).toContain(code)
      expect(await readSpent(folder)).toBeLessThanOrEqual(5)
    }
  })

  it('lets a run without work end with 0, and applies together with --max-cost', async () => {
    const folder = await createCountedFolder(documents)
    expect((await folder.run([...summarize, ...prices])).code).toBe(0)
    expect((await folder.run([...summarize, ...prices, '--max-cost-per', '30d=0.001'])).code).toBe(0)
    await writeFile(join(folder.cwd, 'docs/new.md'), 'A new document about gulls.')
    const both = [...prices, '--max-cost', '0.001', '--max-cost-per', '30d=1000']
    const { code, stderr } = await folder.run([...summarize, ...both])
    expect([code, stderr]).toEqual([5, expect.stringContaining('stopped at --max-cost $0.001')])
  })

  it('counts documents in batches when they were submitted', async () => {
    const folder = await createCountedFolder(documents)
    await folder.run([...summarize, ...prices, '--batch', '--detach'])
    const waiting = await folder.run([...summarize, ...prices, '--max-cost-per', '30d=0.5', '--redo', 'all'])
    expect(waiting.hits).toBe(0)
    const lines = (await readFile(ledgerOf(folder), 'utf8')).trim().split('\n')
    const entries = lines.map((line) => JSON.parse(line)).filter(({ batch_id }) => batch_id !== undefined)
    expect(entries.length).toBeGreaterThan(0)
    for (const { submitted_at, ended_at } of entries)
      expect(Date.parse(submitted_at)).toBeLessThanOrEqual(Date.parse(ended_at))
  })

  it('counts compacted entries when they were paid, not when their run started', async () => {
    const folder = await createCountedFolder(documents)
    await folder.run([...summarize, ...prices])
    const spent = await readSpent(folder)
    // A run that started before the window, and ended in it.
    const file = ledgerOf(folder)
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace(/("started_at":)"[^"]*"/, '$1"2020-01-01T00:00:00.000Z"'))
    for (const [path] of Object.entries(documents)) await writeFile(join(folder.cwd, path), `${path} is new.`)
    await folder.run([...summarize, ...prices])
    await compactLedger(file, '..')
    const { code, hits } = await folder.run([
      ...summarize,
      ...prices,
      '--redo',
      'all',
      '--max-cost-per',
      `30d=${(2 * spent).toFixed(3)}`,
    ])
    expect([code, hits]).toEqual([5, 0])
  })

  it('does not count simulated runs', async () => {
    const folder = await createCountedFolder(documents)
    await folder.run([...summarize, ...prices, '--simulate'])
    const { code, hits } = await folder.run([...summarize, ...prices, '--max-cost-per', '30d=1000'])
    expect([code, hits]).toEqual([0, 6])
  })

  it('can be set in the configuration', async () => {
    const folder = await createCountedFolder({
      ...documents,
      'claude-batch.yaml': 'max-cost-per: 30d=0.001\n',
    })
    const { code, stderr } = await folder.run([...summarize, ...prices])
    expect([code, stderr]).toEqual([5, expect.stringContaining('--max-cost-per 30d=0.001')])
  })

  it.each([
    ['50', 'expected a time and an amount in USD, like 30d=50'],
    ['30=50', 'expected a time and an amount'],
    ['0d=50', 'expected a time and an amount'],
    ['30d=-1', 'expected a time and an amount'],
    ['30m=5', 'expected a time and an amount'],
  ])('rejects %j', async (value, message) => {
    const { run } = await createCountedFolder(documents)
    expect(await run([...summarize, '--max-cost-per', value])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    })
  })

  it('is rejected for stdout, and without a known price', async () => {
    const { run } = await createCountedFolder(documents)
    expect((await run([...summarize, '-o', '-', '--max-cost-per', '30d=5'])).stderr).toContain(
      'use --max-cost',
    )
    const unknown = await run([...summarize, '--model', 'llama', '--max-cost-per', '30d=5'])
    expect(unknown).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--max-cost-per needs the price'),
    })
  })
})
