import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type DocumentEntry, ledgerFormatVersion } from '../../../src/core/run/ledger-entry.ts'
import { ExitError } from '../../../src/errors.ts'
import {
  type Journal,
  type JournalEntry,
  JournaledError,
  openJournal,
} from '../../../src/storage/ledger/journal.ts'
import { readJournal } from '../../../src/storage/ledger/read-journal.ts'
import { injectFaults } from '../../support/fault-fs.mjs'
import { createFolder } from '../../support/run-cli.ts'

const entry = (path: string, text = 'text'): JournalEntry => ({
  entry: {
    type: 'document',
    format_version: ledgerFormatVersion,
    ended_at: '2026-11-22T03:00:00.000Z',
    path,
    status: 'summarized',
    settings_hash: 'r',
    prompt: 'summarize@v2',
    model: 'm',
    usage: null,
    cost_usd: null,
    elapsed_ms: 1,
    attempts: 1,
    request_id: null,
  } satisfies DocumentEntry,
  path: `${path}.summary.md`,
  text,
})
const through = async (journal: Journal, entry: JournalEntry, work: () => Promise<void>) =>
  (await journal.append(entry))(work)
const paths = async (file: string) => (await readJournal(file)).entries.map(({ entry: line }) => line.path)
const journalFile = async () => join(await createFolder({}), 'journal.jsonl')

describe('the journal', () => {
  it('contains an entry from before its work until everything is on disk', async () => {
    const file = await journalFile()
    const checkpoints: string[][] = []
    const journal = await openJournal(file, async () => void checkpoints.push(await paths(file)))
    await through(journal, entry('a.md'), async () => expect(await paths(file)).toEqual(['a.md']))
    await through(journal, entry('b.md'), async () => {})
    expect(await paths(file)).toEqual(['a.md', 'b.md'])
    await journal.close()
    expect(checkpoints).toEqual([['a.md', 'b.md']])
    expect(await paths(file)).toEqual([])
  })

  it('keeps an entry for the next run if its work fails, and reports that it is kept', async () => {
    const file = await journalFile()
    let checkpoints = 0
    const journal = await openJournal(file, async () => void checkpoints++)
    const failing = through(journal, entry('a.md'), async () => {
      throw new ExitError('ioError', 'no space')
    })
    await expect(failing).rejects.toBeInstanceOf(JournaledError)
    await through(journal, entry('b.md'), async () => {})
    await journal.close()
    expect(checkpoints).toBe(0)
    expect(await paths(file)).toEqual(['a.md', 'b.md'])
  })

  it('does no work for an entry that it cannot save', async () => {
    const file = await journalFile()
    injectFaults({ do: 'ENOSPC', op: 'write', path: 'journal\\.jsonl$' })
    onTestFinished(() => injectFaults({}))
    const journal = await openJournal(file, async () => {})
    const failing = through(journal, entry('a.md'), () => Promise.reject(new Error('worked')))
    await expect(failing).rejects.toMatchObject({
      exit: 'ioError',
      message: expect.stringContaining('no space'),
    })
    await expect(failing).rejects.not.toBeInstanceOf(JournaledError)
    await journal.close()
  })

  it('is emptied from time to time in a long run, while no work is in progress', async () => {
    const file = await journalFile()
    let [open, checkpoints] = [0, 0]
    const journal = await openJournal(file, async () => {
      expect(open).toBe(0)
      checkpoints++
    })
    const text = 'x'.repeat(100_000)
    await Promise.all(
      Array.from({ length: 120 }, (_, n) =>
        through(journal, entry(`${n}.md`, text), async () => {
          open++
          await readFile(file)
          open--
        }),
      ),
    )
    expect(checkpoints).toBeGreaterThanOrEqual(2)
    await journal.close()
    expect(await readFile(file, 'utf8')).toBe('')
  })

  it('starts empty after its previous entries are on disk', async () => {
    const file = await journalFile()
    await writeFile(file, `${JSON.stringify(entry('a.md'))}\n{"entry":{"pa`)
    const checkpoints: string[][] = []
    const journal = await openJournal(file, async () => void checkpoints.push(await paths(file)))
    await journal.append(entry('b.md'))
    expect(checkpoints).toEqual([['a.md']])
    expect(await readJournal(file)).toEqual({ entries: [entry('b.md')], damagedLines: 0 })
    await journal.close()
  })

  it('counts unreadable lines, except for a torn end', async () => {
    const file = await journalFile()
    const good = JSON.stringify(entry('a.md'))
    await writeFile(file, `${good.slice(0, 30)}\n${good}\n\0\0\nnull\n{}\n{"entry":{"pa`)
    expect(await readJournal(file)).toEqual({ entries: [entry('a.md')], damagedLines: 4 })
  })

  it('ignores a torn entry, and is empty if the file is missing', async () => {
    const file = await journalFile()
    await writeFile(file, `${JSON.stringify(entry('a.md'))}\n${JSON.stringify(entry('b.md')).slice(0, 20)}`)
    expect(await paths(file)).toEqual(['a.md'])
    expect(await paths(`${file}.none`)).toEqual([])
  })
})
