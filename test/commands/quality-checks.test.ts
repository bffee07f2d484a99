import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import type { SimulatedBatchesOptions } from '../../src/simulator/simulated-batches.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const english =
  'The ferry sails at nine in the morning, said the harbour board, and it comes back in the evening. '
const german =
  'Die Fähre fährt um neun Uhr am Morgen, sagte die Hafenbehörde, und am Abend kommt sie wieder zurück. '
const said = (text: string): Behaviour => ({ kind: 'answer', delayMs: 1, content: [{ type: 'text', text }] })

async function setting(
  answer: (text: string) => Behaviour,
  files: Record<string, string> = { 'docs/a.md': english },
  batches: SimulatedBatchesOptions = {},
) {
  const cwd = await createFolder(files)
  const asked: string[] = []
  const { env, simulator } = await startService({
    batches,
    script: ({ request }) => {
      asked.push(request.lastText)
      return answer(request.lastText)
    },
  })
  const run = (...args: string[]) =>
    runInProcess(['summarize', 'docs', ...args], { cwd, env, clockSpeed: 100 })
  return { cwd, env, simulator, asked, run }
}

describe('a flagged summary', () => {
  it('is counted and listed if its language differs from --language', async () => {
    const files = { 'docs/a.md': english, 'docs/b.md': english.replace('nine', 'ten') }
    const { cwd, env, asked, run } = await setting(
      (text) => said(text.includes('at ten in') ? english : german),
      files,
    )
    const { code, stderr } = await run('--language', 'de', '--words', '18')
    expect(code).toBe(0)
    expect(asked[0]).toMatch(
      /\n\nWrite in German, whatever the language of the document\. Write about 18 words\. This overrides everything above about language and length\./,
    )
    expect(stderr).toMatch(/^flagged +1 in the wrong language: docs\/b\.md$/m)
    expect((await runInProcess(['report'], { cwd, env })).stdout).toMatch(
      /\nflagged:\n {2}docs\/b\.md: language\n/,
    )
    const { stdout } = await runInProcess(['report', '--format', 'json'], { cwd, env })
    const rows = JSON.parse(stdout).documents as { path: string; quality_issues: string[] }[]
    expect(rows.map(({ path, quality_issues }) => [path, quality_issues]).sort()).toEqual([
      ['docs/a.md', []],
      ['docs/b.md', ['language']],
    ])
  })

  it('is listed if its length is far from --words, in any script', async () => {
    const answers = [english.repeat(6), 'Short.', '港の渡し船は毎朝九時に出て夕方に戻る。'.repeat(2), english]
    const files = Object.fromEntries(answers.map((_, n) => [`docs/${n}.md`, `${n} ${english}`]))
    const { run } = await setting((text) => said(answers[Number(/>\n(\d)/.exec(text)?.[1])] ?? ''), files)
    expect((await run('--words', '18')).stderr).toMatch(
      /^flagged +2 of the wrong length: docs\/0\.md, docs\/1\.md$/m,
    )
  })

  it('is listed if it copies most of its document', async () => {
    const text = Array.from(
      { length: 30 },
      (_, n) => `Sentence ${n} of this says that item ${n * 7} is late. `,
    ).join('')
    const { run } = await setting(() => said(text.slice(0, text.length * 0.8)), {
      'docs/a.md': text,
      'docs/short.md': 'A few words.',
    })
    expect((await run()).stderr).toMatch(/^flagged +1 near-copy: docs\/a\.md$/m)
  })

  it('is listed as a copy in a batch, too, unless its document changed after it was sent', async () => {
    const text = Array.from({ length: 30 }, (_, n) => `Sentence ${n} says that item ${n * 7} is late. `).join(
      '',
    )
    const files = { 'docs/a.md': text, 'docs/b.md': `${text} And so on.`, 'docs/c.md': `${text} The end.` }
    const { cwd, env, run } = await setting(() => said(text), files, { durationMs: 1 })
    expect((await run('--batch', '--detach')).code).toBe(0)
    await writeFile(join(cwd, 'docs/c.md'), 'Something else.')
    const { stderr } = await run('--batch', '--detach')
    expect(stderr).toMatch(/^flagged +1 near-copy: docs\/(a|b)\.md$/m)
    const { stdout } = await runInProcess(['report'], { cwd, env })
    expect(stdout).toMatch(/\nflagged:\n {2}docs\/a\.md: copy\n {2}docs\/b\.md: copy\n/)
  })

  it('is kept, and only --redo summarizes it again', async () => {
    let answer = english
    const { cwd, simulator, run } = await setting(() => said(answer), {
      'docs/a.md': english,
      'docs/b.md': 'Other.',
    })
    await run('--language', 'German')
    const wish = ['--language', 'German']
    expect((await run(...wish)).stderr).toMatch(/2 skipped \(2 unchanged\)/)
    expect((await run(...wish, '--redo', 'length,copy')).stderr).toMatch(/2 skipped/)
    expect(simulator.stats().requests).toBe(2)
    answer = german
    expect((await run(...wish, '--redo', 'flagged')).stderr).toMatch(/^redone +2 \(flagged\)/m)
    expect(await readFile(join(cwd, 'summaries/docs/a.md.summary.md'), 'utf8')).toBe(`${german.trim()}\n`)
    expect((await run(...wish, '--redo', 'flagged')).stderr).toMatch(/2 skipped \(2 unchanged\)/)
    expect(simulator.stats().requests).toBe(4)
  })

  it('is listed in a batch if its language differs from --language', async () => {
    const { run } = await setting(() => said(english), {
      'docs/a.md': english,
      'docs/b.md': 'Other.',
      'docs/c.md': 'More.',
    })
    expect((await run('--language', 'fr', '--batch')).stderr).toMatch(/^flagged +3 in the wrong language/m)
  })

  it.each([
    [['--language', 'klingon9'], '--language klingon9: expected a language'],
    [
      ['--redo', 'ugly'],
      '--redo: expected failed, settings, copy, language, length, uncited, flagged or all',
    ],
    [['--words', '1'], '--words'],
  ])('%j is a usage error', async (flags, message) => {
    const { run } = await setting(() => said(english))
    expect(await run(...flags)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
  })
})
