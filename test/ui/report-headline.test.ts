import { describe, expect, it } from 'vitest'
import { buildReportJson } from '../../src/core/report/build-report-json.ts'
import type { RecordedRun } from '../../src/core/report/recorded-run.ts'
import { renderReportHtml } from '../../src/ui/report-html/render-report-html.ts'
import {
  createDocumentEntry,
  createFailedEntry,
  createReport,
  runEnd,
  runStart,
} from '../support/ledger-entries.ts'

/** Returns the headline and the line below it of the report about `runs`, in a folder with `folderRuns`. */
function headOf(runs: readonly RecordedRun[], folderRuns: readonly RecordedRun[] | undefined) {
  const metadata = { createdAt: runStart.started_at, programVersion: '1' }
  const html = [...renderReportHtml(buildReportJson(runs, { ...metadata, folderRuns }))].join('')
  const [, title, setting] = /<h1>(.*?)<\/h1><p class="setting">(.*?)<\/p>/s.exec(html) ?? []
  return { title, setting: setting?.replace(/<[^>]+>/g, '') }
}

const createRun = (id: string, names: readonly string[], fields: Partial<RecordedRun> = {}): RecordedRun => ({
  start: { ...runStart, run_id: id },
  entries: names.map((name) => createDocumentEntry(name)),
  end: { ...runEnd, run_id: id },
  ...fields,
})
const endWith = (pending: number) => ({
  ...runEnd,
  documents: { summarized: 0, failed: 0, skipped: 0, pending },
})

const first = createRun('1', ['a', 'b', 'c'])
const second = createRun('2', ['d', 'e'], { end: { ...runEnd, skipped_by_reason: { unchanged: 3 } } })

describe('the headline of a report', () => {
  it('is about the whole folder, and the line below it about the last run', () => {
    const { title, setting } = headOf([second], [first, second])
    expect(title).toBe('All 5 documents summarized')
    expect(setting).toContain('this run: 2 summarized')
  })

  it('does not repeat the number of documents if the run did all of them', () => {
    const { title, setting } = headOf([first], [first])
    expect(title).toBe('All 3 documents summarized')
    expect(setting).not.toContain('this run')
  })

  it('says what an earlier run did, because the folder has changed since', () => {
    expect(headOf([second], undefined).title).toBe('All 2 documents of this run summarized')
  })

  it('counts documents that failed before, and leaves out pruned ones and digests', () => {
    const failed: RecordedRun = { ...createRun('0', []), entries: [createFailedEntry('bad', 'no')] }
    const digest = createRun('3', [], { entries: [createDocumentEntry('x', { prompt: 'digest@v1' })] })
    const folder = [failed, { ...first, pruned: ['c'] }, second, digest]
    expect(headOf([second], folder).title).toBe('4 of 5 documents summarized')
  })

  it('counts a document as summarized that failed and was then found unchanged', () => {
    const failed: RecordedRun = { ...createRun('2', []), entries: [createFailedEntry('a', 'no')] }
    expect(headOf([failed], [first, failed]).title).toBe('2 of 3 documents summarized')
    const third = createRun('3', [], { unchanged: ['a'] })
    expect(headOf([third], [first, failed, third])).toEqual({
      title: 'All 3 documents summarized',
      setting: expect.stringContaining('this run: nothing to do'),
    })
  })

  it('counts documents that a first run did not get to', () => {
    const stopped = { ...first, end: endWith(7) }
    expect(headOf([stopped], [stopped]).title).toBe('3 of 10 documents summarized')
  })

  it('has no total if some documents without a request may have an older summary', () => {
    const stopped = { ...second, end: endWith(3) }
    expect(headOf([stopped], [first, stopped]).title).toBe('5 documents summarized, 3 pending')
  })

  it('is about the run if there is no output folder', () => {
    expect(createReport([first]).output_folder).toBeNull()
    expect(headOf([first], undefined).title).toBe('All 3 documents summarized')
  })
})
