import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pricesAsOf } from '../src/core/pricing/models.ts'
import { createFolder } from './support/run-cli.ts'
import { runInProcess } from './support/run-in-process.ts'

const root = resolve(import.meta.dirname, '..')
const read = (path: string) => readFile(join(root, path), 'utf8')
const readme = await read('README.md')
const readBench = async (name: string) => JSON.parse(await read(`bench/${name}.json`))

describe('the README', () => {
  it('fits into 150 lines', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(150)
  })

  it('has the two commands that CI runs: the main job and the tests', () => {
    const commands = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block?.trim())
    expect(commands[0]).toBe('npm ci && npx claude-batch summarize fixtures/documents --simulate')
    expect(commands.at(-1)).toBe('npm ci && npm test')
  })

  it('shows the summary that its first command writes', async () => {
    const { code, stdout } = await runInProcess(
      ['summarize', 'fixtures/documents/reports/outage-2026-09.md', '-o', '-', '--simulate'],
      { cwd: root, env: {} },
    )
    const [, document = '', summary = ''] = /^\|---\|---\|\n\| (.*) \| (.*) \|$/m.exec(readme) ?? []
    expect(code).toBe(0)
    expect(summary.split('<br>')).toEqual(stdout.trim().split('\n'))
    const text = (await read('fixtures/documents/reports/outage-2026-09.md')).replace(/\s+/g, ' ')
    for (const part of document.split(/<br>|…/)) expect(text).toContain(part.trim())
  })

  it('shows what 1,000 pages cost by the price table', async () => {
    const words = (await read('fixtures/documents/stories/the-keeper.md')).split(/\s+/)
    const count = 50
    const pages = Array.from({ length: count }, (_, n) => [
      `docs/${n}.md`,
      Array.from({ length: 500 }, (_, k) => words[(n * 23 + k) % words.length]).join(' '),
    ])
    const cwd = await createFolder(Object.fromEntries(pages))
    for (const model of ['haiku', 'sonnet', 'opus']) {
      const { stdout } = await runInProcess(['summarize', 'docs', '--dry-run', '--model', model], {
        cwd,
        env: {},
      })
      const [live, batch] = ['live', 'batch'].map((mode) => {
        const [, usd] = new RegExp(`^${mode} +about \\$([\\d.]+)`, 'm').exec(stdout) ?? []
        return `$${((Number(usd) * 1000) / count).toFixed(2)}`
      })
      expect(readme).toMatch(
        new RegExp(`^\\| [^|]*--model ${model}[^|]* \\| \\${live} \\| \\${batch} \\|$`, 'm'),
      )
    }
    expect(readme).toContain(`list prices of ${pricesAsOf}`)
  })

  it('shows measured figures in place of a promise', async () => {
    const [limits, crash, rerun] = await Promise.all(['rate-limits', 'crash', 'rerun'].map(readBench))
    const [ours, , loop] = limits.filter(
      ({ scenario }: { scenario: string }) => scenario === 'limits unknown',
    )
    expect([ours.tool, loop.tool]).toEqual(['claude-batch', 'SDK, p-limit 40'])
    const figures = [
      `${(ours.seconds / ours.best).toFixed(2)} times the shortest possible time, with ${ours.limited} 429s`,
      `got ${loop.limited} 429s and gave up ${loop.lost} of ${ours.requests} documents`,
      `${crash.kills.count} kills lost ${crash.kills.lost} of ${crash.documents} summaries`,
      `among 20,000 documents takes ${rerun['20000'].nothingToDo.cpuSeconds} seconds of CPU time`,
    ]
    const text = readme.replace(/\s+/g, ' ')
    for (const figure of figures) expect(text).toContain(figure)
  })
})
