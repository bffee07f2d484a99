import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LedgerEntry } from '../../../src/core/run/ledger-entry.ts'
import { findDocumentName } from '../../../src/inputs/find/earlier-output.ts'
import { compactLedger } from '../../../src/storage/ledger/compact-ledger.ts'
import { ledgerPath } from '../../../src/storage/output-folder.ts'
import { createFailedEntry, timestampAt } from '../../support/ledger-entries.ts'
import {
  createEntry,
  createRun,
  readDocuments,
  readFolder,
  readTotals,
  runMerge,
  sumEntries,
  writeOutputFolder,
} from '../../support/merged-folders.ts'
import { createFolder } from '../../support/run-cli.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Creates folders that each have a summary of `a.md`, and merges them into `all`. */
async function mergeSummaries(
  summaries: Readonly<Record<string, { text: string; ms: number; document?: string; simulated?: true }>>,
  document = 'x',
) {
  const cwd = await createFolder({ 'a.md': document })
  for (const [name, { text, ms, document = 'other', simulated }] of Object.entries(summaries)) {
    const [start, end] = createRun(name, ms, simulated && { simulated })
    const fields = { sha256: sha256(document), size_bytes: Buffer.byteLength(document) }
    await writeOutputFolder(join(cwd, name), [start, createEntry('a.md', text, ms, fields), end], {
      'a.md.summary.md': text,
    })
  }
  const merge = (...names: string[]) => runMerge(cwd, ...names, '-o', 'all')
  const result = await merge(...Object.keys(summaries))
  const readAll = async () => {
    const { '.claude-batch/ledger.jsonl': _, ...files } = await readFolder(join(cwd, 'all'))
    return files
  }
  return { cwd, merge, result, readAll }
}

describe('two folders with different summaries of a document', () => {
  it('give the later one, and keep the other next to it', async () => {
    const { result, readAll, merge } = await mergeSummaries({
      part1: { text: 'Later.\n', ms: 2000 },
      part2: { text: 'Earlier.\n', ms: 1000 },
    })
    expect([result.code, result.stderr]).toEqual([
      0,
      'claude-batch: merged 2 folders into all: 2 files written\nclaude-batch: a.md: the other text, from part2, is in all/a.md.summary.conflict-1.md\n',
    ])
    const files = { 'a.md.summary.md': 'Later.\n', 'a.md.summary.conflict-1.md': 'Earlier.\n' }
    expect(await readAll()).toEqual(files)
    expect((await merge('part2', 'part1')).stderr).toContain('already has everything')
    expect(await readAll()).toEqual(files)
  })

  it('give the one whose document has not changed since, in any order', async () => {
    for (const order of [
      ['part1', 'part2'],
      ['part2', 'part1'],
    ]) {
      const all = {
        part1: { text: 'Of now.\n', ms: 1000, document: 'now' },
        part2: { text: 'Of before.\n', ms: 2000, document: 'was' },
      }
      const { readAll } = await mergeSummaries(
        Object.fromEntries(order.map((name) => [name, all[name as 'part1']])),
        'now',
      )
      expect(await readAll()).toMatchObject({
        'a.md.summary.md': 'Of now.\n',
        'a.md.summary.conflict-1.md': 'Of before.\n',
      })
    }
  })

  it('are no conflict if their texts are equal', async () => {
    const { result, readAll } = await mergeSummaries({
      part1: { text: 'Same.\n', ms: 2000 },
      part2: { text: 'Same.\n', ms: 1000 },
    })
    expect([result.code, await readAll()]).toEqual([0, { 'a.md.summary.md': 'Same.\n' }])
  })

  it('give the one from the API, if the other is simulated', async () => {
    const { readAll } = await mergeSummaries({
      part1: { text: 'Real.\n', ms: 1000 },
      part2: { text: 'Simulated.\n', ms: 2000, simulated: true },
    })
    expect(await readAll()).toEqual({ 'a.md.summary.md': 'Real.\n' })
  })

  it('give neither where the target has a text of the user', async () => {
    const { cwd, merge, readAll } = await mergeSummaries({ part1: { text: 'One.\n', ms: 1000 } })
    await writeFile(join(cwd, 'all/a.md.summary.md'), 'Mine.\n')
    const [start, end] = createRun('later', 5000)
    await writeOutputFolder(join(cwd, 'part2'), [start, createEntry('a.md', 'Two.\n', 6000), end], {
      'a.md.summary.md': 'Two.\n',
    })
    const { code, stderr } = await merge('part2')
    expect([code, stderr]).toEqual([0, expect.stringContaining('all/a.md.summary.conflict-1.md')])
    const files = { 'a.md.summary.md': 'Mine.\n', 'a.md.summary.conflict-1.md': 'Two.\n' }
    expect(await readAll()).toEqual(files)
    await merge('part1', 'part2')
    expect(await readAll()).toEqual(files)
  })

  it('keep a text that was edited by hand in a source, and report it as edited afterwards', async () => {
    const { cwd, merge, readAll } = await mergeSummaries({
      part1: { text: 'One.\n', ms: 1000 },
    })
    await writeFile(join(cwd, 'part1/a.md.summary.md'), 'Mine.\n')
    await merge('part1')
    expect(await readAll()).toEqual({ 'a.md.summary.md': 'One.\n', 'a.md.summary.conflict-1.md': 'Mine.\n' })
    await rm(join(cwd, 'all'), { recursive: true })
    await merge('part1')
    expect(await readAll()).toEqual({ 'a.md.summary.md': 'Mine.\n' })
    const { summaries } = await readDocuments(join(cwd, 'all'))
    expect(summaries[0]?.[1].output.sha256).toBe(sha256('One.\n'))
  })

  it('are no conflict if the target has replaced one of them, and the source has only confirmed it since', async () => {
    const cwd = await createFolder({})
    const [start, end] = createRun('r1', 0)
    const made = createEntry('a.md', 'One.\n', 1)
    const { request_hash = '', settings_hash } = made
    const confirmed: LedgerEntry = {
      type: 'unchanged',
      format_version: 2,
      path: 'a.md',
      at: timestampAt(9000),
      size_bytes: 9,
      request_hash,
      settings_hash,
    }
    const [later, laterEnd] = createRun('r3', 8000)
    await writeOutputFolder(join(cwd, 'part'), [start, made, end, later, confirmed, laterEnd], {
      'a.md.summary.md': 'One.\n',
    })
    const [own, ownEnd] = createRun('r2', 5000)
    await writeOutputFolder(
      join(cwd, 'all'),
      [start, made, end, own, createEntry('a.md', 'Two.\n', 6000), ownEnd],
      {
        'a.md.summary.md': 'Two.\n',
      },
    )
    expect((await runMerge(cwd, 'part', '-o', 'all')).code).toBe(0)
    const { '.claude-batch/ledger.jsonl': _, ...files } = await readFolder(join(cwd, 'all'))
    expect(files).toEqual({ 'a.md.summary.md': 'Two.\n' })
    expect((await runMerge(cwd, 'part', '-o', 'all')).stderr).toContain('already has everything')
  })

  it('keep a file that no run wrote in the place of a summary', async () => {
    const { cwd, merge, readAll } = await mergeSummaries({ part1: { text: 'One.\n', ms: 1000 } })
    await rm(join(cwd, 'all'), { recursive: true })
    await mkdir(join(cwd, 'all/a.md.error.txt'), { recursive: true })
    await writeFile(join(cwd, 'all/a.md.summary.md'), 'Notes of mine.\n')
    expect((await merge('part1')).code).toBe(0)
    expect(await readAll()).toEqual({
      'a.md.summary.md': 'Notes of mine.\n',
      'a.md.summary.conflict-1.md': 'One.\n',
    })
  })

  it('lose no text and no cent, in any order and number', async () => {
    const copy = fc.record({ text: fc.nat(3), ms: fc.nat(3), isEdited: fc.boolean() })
    const folders = fc.array(fc.array(fc.option(copy), { minLength: 3, maxLength: 3 }), {
      minLength: 2,
      maxLength: 4,
    })
    await fc.assert(
      fc.asyncProperty(folders, fc.boolean(), async (contents, isSplit) => {
        const cwd = await createFolder({})
        const texts = new Map<string, Set<string>>()
        /** Texts that the user has replaced in one of the folders. */
        const replaced = new Map<string, Set<string>>()
        const add = (map: Map<string, Set<string>>, path: string, text: string) =>
          map.set(path, (map.get(path) ?? new Set()).add(text))
        const entries: LedgerEntry[] = []
        for (const [folder, documents] of contents.entries()) {
          const [start, end] = createRun(`run${folder}`, folder)
          const lines: LedgerEntry[] = []
          const files: Record<string, string> = {}
          for (const [n, made] of documents.entries()) {
            if (made === null) continue
            const text = `Text ${made.text}.\n`
            const entry = createEntry(`${n}.md`, text, 1000 * made.ms + folder)
            lines.push(entry)
            const content = made.isEdited ? `Mine, ${folder}.\n` : text
            files[`${n}.md.summary.md`] = content
            add(texts, `${n}.md`, content)
            if (made.isEdited) add(replaced, `${n}.md`, text)
          }
          if (lines.length > 0) entries.push(...lines)
          await writeOutputFolder(join(cwd, `part${folder}`), [start, ...lines, end], files)
        }
        const names = contents.map((_, folder) => `part${folder}`)
        await runMerge(cwd, ...(isSplit ? names.slice(1) : names), '-o', 'one')
        if (isSplit) await runMerge(cwd, ...names, '-o', 'one')
        await runMerge(cwd, ...names.toReversed(), '-o', 'other')
        const documents = await Promise.all(['one', 'other'].map((out) => readDocuments(join(cwd, out))))
        expect(documents[0]).toEqual(documents[1])
        for (const out of ['one', 'other']) {
          expect(await readTotals(join(cwd, out))).toEqual(
            sumEntries(entries.filter((line) => line.type === 'document')),
          )
          const { '.claude-batch/ledger.jsonl': ledger, ...files } = await readFolder(join(cwd, out))
          const kept = Object.entries(files)
          for (const [path, all] of texts) {
            const found = kept.filter(([name]) => name.startsWith(path)).map(([, text]) => text)
            expect([...all], path).toEqual(expect.arrayContaining(found))
            const lost = [...all].filter((text) => !found.includes(text) && !replaced.get(path)?.has(text))
            expect([path, lost]).toEqual([path, []])
            // A merge deletes nothing: the text that counts is there twice if it lost the first of two merges. Any other
            // text is there once.
            const isTwice = isSplit && out === 'one'
            const others = kept.filter(
              ([name]) => name.startsWith(path) && (!isTwice || name.includes('.conflict-')),
            )
            expect([path, new Set(others.map(([, text]) => text)).size]).toEqual([path, others.length])
          }
          expect((await runMerge(cwd, ...names, '-o', out)).stderr).toContain('already has everything')
          expect((await readFolder(join(cwd, out)))['.claude-batch/ledger.jsonl']).toBe(ledger)
        }
      }),
      {
        numRuns: 40,
        examples: [
          [
            [
              [null, { text: 1, ms: 3, isEdited: false }, null],
              [null, { text: 0, ms: 1, isEdited: false }, null],
              [null, { text: 1, ms: 0, isEdited: false }, null],
            ],
            true,
          ],
        ],
      },
    )
  })
})

describe('the file of a conflict', () => {
  it.each([
    ['a.md.summary.conflict-1.md', 'a.md'],
    ['a.md.summary.conflict-12.json', 'a.md'],
    ['a.md.conflict-1.md', undefined],
    ['a.summary.conflict.md', undefined],
  ])('is no document, by its name: %s', (name, document) => {
    expect(findDocumentName(name)).toBe(document)
  })
})

describe('a summary that was pruned', () => {
  const [start, end] = createRun('r1', 0)
  const [pruning, pruningEnd] = createRun('r2', 5000)
  const made = createEntry('a.md', 'One.\n', 1)
  const pruned = { type: 'pruned', format_version: 2, path: 'a.md', at: timestampAt(6000) } as const
  const before = [start, made, end]
  const after = [...before, pruning, pruned, pruningEnd]
  const files = { 'a.md.summary.md': 'One.\n' }

  it('in the target does not come back, also if its ledger was compacted', async () => {
    const cwd = await createFolder({})
    await writeOutputFolder(join(cwd, 'part'), before, files)
    await writeOutputFolder(join(cwd, 'all'), after, {})
    for (const isCompacted of [false, true]) {
      if (isCompacted) await compactLedger(ledgerPath(join(cwd, 'all')), '..')
      expect((await runMerge(cwd, 'part', '-o', 'all')).code).toBe(0)
      expect(Object.keys(await readFolder(join(cwd, 'all')))).toEqual(['.claude-batch/ledger.jsonl'])
      expect((await readDocuments(join(cwd, 'all'))).summaries).toEqual([])
      expect(await readTotals(join(cwd, 'all'))).toEqual(sumEntries([made]))
    }
  })

  it('in a source stays in the target', async () => {
    const cwd = await createFolder({})
    await writeOutputFolder(join(cwd, 'all'), before, files)
    await writeOutputFolder(join(cwd, 'part'), after, {})
    expect((await runMerge(cwd, 'part', '-o', 'all')).code).toBe(0)
    expect(await readFolder(join(cwd, 'all'))).toMatchObject(files)
    expect((await readDocuments(join(cwd, 'all'))).summaries).toHaveLength(1)
    await writeOutputFolder(join(cwd, 'copy'), before, files)
    await runMerge(cwd, 'copy', 'part', '-o', 'new')
    expect((await readDocuments(join(cwd, 'new'))).summaries).toEqual([])
  })
})

describe('a failure and a summary of the same document', () => {
  it('give the summary without the error record', async () => {
    const cwd = await createFolder({})
    const [start, end] = createRun('failed', 3000)
    const failed = { ...createFailedEntry('a.md', 'no'), ended_at: timestampAt(4000) }
    const record = { path: 'a.md.error.txt', size_bytes: 9, mtime_ms: 1, sha256: sha256('ERROR: no') }
    await writeOutputFolder(join(cwd, 'part1'), [start, { ...failed, output: record }, end], {
      'a.md.error.txt': 'ERROR: no',
    })
    await runMerge(cwd, 'part1', '-o', 'all')
    expect(await readFolder(join(cwd, 'all'))).toMatchObject({ 'a.md.error.txt': 'ERROR: no' })
    const [second, secondEnd] = createRun('made', 1000)
    await writeOutputFolder(join(cwd, 'part2'), [second, createEntry('a.md', 'One.\n', 2000), secondEnd], {
      'a.md.summary.md': 'One.\n',
    })
    await runMerge(cwd, 'part1', 'part2', '-o', 'all')
    const { '.claude-batch/ledger.jsonl': _, ...files } = await readFolder(join(cwd, 'all'))
    expect(files).toEqual({ 'a.md.summary.md': 'One.\n' })
    expect((await readDocuments(join(cwd, 'all'))).failures).toEqual([])
    await expect(readFile(join(cwd, 'part1/a.md.error.txt'), 'utf8')).resolves.toBe('ERROR: no')
  })
})
