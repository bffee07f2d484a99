import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { formatFrontMatter, stripFrontMatter } from '../../../src/core/document/front-matter.ts'
import { type DocumentEntry, ledgerFormatVersion } from '../../../src/core/run/ledger-entry.ts'
import { createFolder } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'

const sha256 = 'ab'.repeat(32)
const lineFor = (path: string, model = 'claude-haiku-5-5'): DocumentEntry => ({
  type: 'document',
  format_version: ledgerFormatVersion,
  ended_at: '2026-11-23T10:00:00.000Z',
  path,
  status: 'summarized',
  sha256,
  settings_hash: 'r',
  prompt: 'summarize@v2',
  model,
  usage: {
    input_tokens: 900,
    cache_creation_5m_input_tokens: 0,
    cache_creation_1h_input_tokens: 0,
    cache_read_input_tokens: 100,
    output_tokens: 80,
  },
  cost_usd: 0.00012,
  elapsed_ms: 10,
  attempts: 1,
  request_id: null,
})

describe('stripFrontMatter', () => {
  it('removes front matter whose line ends git has changed to CRLF', () => {
    const summary = `${formatFrontMatter(lineFor('docs/a.md'))}A ferry.\nIt sails.\n`
    expect(stripFrontMatter(summary.replaceAll('\n', '\r\n'), { sha256 })).toBe('A ferry.\r\nIt sails.\r\n')
  })
})

describe('formatFrontMatter', () => {
  it('writes U+FFFD in place of a lone surrogate in a path', () => {
    expect(formatFrontMatter(lineFor('docs/\ud83d.md'))).toContain('source: "docs/\ufffd.md"')
  })

  it('writes YAML that preserves any path and model name, and stripFrontMatter removes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (path, model, text) => {
        const head = formatFrontMatter(lineFor(path, model))
        expect(head).toMatch(/^---\n[\s\S]*\n---\n\n$/)
        const { source, ...rest } = parseDocument(head.slice(4, -6)).toJS()
        expect({ source, model: rest.model }).toEqual({ source: path, model })
        expect(stripFrontMatter(head + text, { sha256 })).toBe(text)
      }),
    )
  })

  it('writes the tokens and the cost, and null for an unknown value', () => {
    const fields = parseDocument(formatFrontMatter(lineFor('docs/a.md')).slice(4, -6)).toJS()
    expect(fields).toEqual({
      source: 'docs/a.md',
      sha256,
      model: 'claude-haiku-5-5',
      prompt: 'summarize@v2',
      date: '2026-11-23T10:00:00.000Z',
      input_tokens: 1000,
      output_tokens: 80,
      cost_usd: 0.00012,
    })
    expect(formatFrontMatter({ ...lineFor('a'), usage: null, cost_usd: null })).toContain('cost_usd: null\n')
  })

  it('adds a block that stripFrontMatter distinguishes from front matter in the text of the model', () => {
    const forged = `---\nsource: "x"\nsha256: "00"\n---\n\nText.\n`
    expect(stripFrontMatter(forged, { sha256 })).toBe(forged)
  })
})

it('--front-matter starts a summary with YAML, which the next run and the report ignore', async () => {
  const cwd = await createFolder({ 'docs/a.md': 'The ferry sails at nine.\n' })
  const run = (...args: string[]) => runInProcess(args, { cwd })
  const args = ['summarize', 'docs', '--simulate', '--front-matter']
  expect((await run(...args)).code).toBe(0)
  const text = await readFile(join(cwd, 'summaries/docs/a.md.summary.md'), 'utf8')
  expect(text).toMatch(/^---\nsource: "docs\/a\.md"\nsha256: "\w{64}"\nmodel: "claude-haiku-5-5"\n/)
  expect(text).toMatch(/\n---\n\n\[simulated\] /)
  expect((await run(...args)).stderr).toMatch(/1 skipped \(1 unchanged\)/)
  expect((await run('report', '--format', 'html')).stdout).not.toContain('sha256: &quot;')
  expect((await run(...args, '-o', '-')).stderr).toContain('--front-matter needs an output folder')
})
