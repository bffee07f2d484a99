import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ExportedResult } from '../../../src/core/report/exported-result.ts'
import { formatCsvCell } from '../../../src/core/text/csv-cell.ts'
import { readJsonMembers } from '../../../src/core/text/json-members.ts'
import { isJson } from '../../../src/core/text/minify-json.ts'
import { listFields, renderExportCsv } from '../../../src/ui/export/export-csv.ts'
import {
  createExportedFolder,
  createSummarizedEntry,
  parseCsv,
  parseLines,
} from '../../support/exported-folder.ts'

const names =
  'path,status,model,ended_at,input_tokens,output_tokens,cost_usd,prompt,quality_issues,edited,simulated,error,summary'.split(
    ',',
  )

/** Returns the rows of an export as objects. */
async function exportCsv(summaries: Readonly<Record<string, string>>) {
  const folder = await createExportedFolder(summaries)
  const { stderr } = await folder.run('-o', 'x.csv')
  const text = await folder.read('x.csv')
  const [head = [], ...rows] = parseCsv(text.slice(1))
  return {
    ...folder,
    stderr,
    text,
    head,
    rows: rows.map((row) => Object.fromEntries(row.map((cell, n) => [head[n], cell]))),
  }
}

describe('an export as CSV', () => {
  it('has one row per summary, with its source, model, date and cost', async () => {
    const { head, rows, text } = await exportCsv({ 'docs/a.md': 'One, "two"\nand three.\n' })
    expect(text.startsWith('\ufeff"path",')).toBe(true)
    expect(head).toEqual(names)
    expect(rows).toEqual([
      {
        ...Object.fromEntries(names.map((name) => [name, ''])),
        path: 'docs/a.md',
        status: 'summarized',
        model: 'claude-haiku-5-5',
        ended_at: '2026-11-22T12:00:01.000Z',
        input_tokens: '1000',
        output_tokens: '100',
        cost_usd: '0.00015',
        prompt: 'summarize@v2',
        summary: 'One, "two"\nand three.',
      },
    ])
  })

  it('has a column for each field of structured summaries', async () => {
    const { head, rows, text } = await exportCsv({
      'a.md': '{"title":"=1+1","n":-5,"big":9007199254740993,"ok":true,"none":null,"list":["=1",{"x":1.0}]}',
      'b.md': '{"title":"Two","extra":"-","status":"open","summary.x":1}',
      'c.md': 'Text.',
    })
    expect(head).toEqual([
      ...names,
      'title',
      'n',
      'big',
      'ok',
      'none',
      'list',
      'extra',
      'summary.status',
      'summary.summary.x',
    ])
    expect(rows[0]).toMatchObject({
      title: "'=1+1",
      n: '-5',
      big: '9007199254740993',
      ok: 'true',
      none: '',
      list: '["=1",{"x":1.0}]',
      extra: '',
      summary: '',
    })
    // Numbers are not quoted, so that a spreadsheet calculates with them.
    expect(text).toContain(`"'=1+1",-5,9007199254740993,true,,"[""=1"",{""x"":1.0}]"`)
    expect(rows[1]).toMatchObject({
      title: 'Two',
      extra: "'-",
      status: 'summarized',
      'summary.status': 'open',
      'summary.summary.x': '1',
    })
    expect(rows[2]).toMatchObject({ title: '', summary: 'Text.' })
  })

  it('has the whole JSON in one cell if it is no object, or was edited until it is no JSON', async () => {
    const folder = await createExportedFolder({ 'a.md': '{"n":1}', 'b.md': '{"n":1}' })
    await writeFile(join(folder.cwd, 'summaries/a.md.summary.json'), '[1, 2]')
    await writeFile(join(folder.cwd, 'summaries/b.md.summary.json'), '{"n":1')
    await folder.run('-o', 'x.csv')
    const [head, a, b] = parseCsv((await folder.read('x.csv')).slice(1))
    expect([head, a?.at(-1), b?.at(-1)]).toEqual([names, '[1, 2]', '{"n":1'])
  })

  it('loses no field, not even of objects that all have other ones', async () => {
    const many = Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`f${n}`, n]))
    const { head, rows } = await exportCsv({ 'a.md': JSON.stringify(many), 'b.md': '{"f3":3}' })
    expect(head).toHaveLength(names.length + 1000)
    expect(rows[0]).toMatchObject({ f3: '', summary: JSON.stringify(many) })
    expect(rows[1]).toMatchObject({ f3: '3', summary: '' })
  })

  it('has the whole text of a summary that is too long for Excel, and says so', async () => {
    const long = 'a'.repeat(32_768)
    const { rows, stderr } = await exportCsv({
      'a.md': long,
      'b.md': '"'.repeat(32_767),
      'c.md': `{"x":"${long}"}`,
    })
    expect(rows.map(({ summary, x }) => (summary || x || '').length)).toEqual([32_768, 32_767, 32_768])
    expect(stderr).toBe(
      'claude-batch: a.md, c.md: longer than the 32,767 characters that Excel shows in a cell; the file has all of the text\n',
    )
  })

  it('can be parsed, has every text in its cell, and begins no cell with a formula', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom('"', ',', '\n', '\r', ';', '=', "'", 'ü', '\u2028')).map((it) => it.join('')),
    )
    const summary = fc.oneof(
      text,
      fc.dictionary(text, fc.oneof(text, fc.jsonValue())).map((it) => JSON.stringify(it)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, summary), { minLength: 1 }), async (summaries) => {
        const results: ExportedResult[] = summaries.map(([path, text]) => ({
          entry: createSummarizedEntry(path, ''),
          text,
          isJson: true,
          isEdited: false,
          isSimulated: false,
        }))
        const read = async function* () {
          yield* results
        }
        let csv = ''
        for await (const piece of renderExportCsv(read(), await listFields(read()), () => {})) csv += piece
        const [, ...rows] = parseCsv(csv.slice(1))
        expect(rows).toHaveLength(summaries.length)
        const readBack = (text: string) => parseCsv(`${formatCsvCell(text)}\r\n`)[0]?.[0]
        for (const [n, [path, text]] of summaries.entries()) {
          const row = rows[n] ?? []
          expect(row[0]).toBe(readBack(path))
          const members = text.startsWith('{') && isJson(text) ? readJsonMembers(text) : undefined
          if (members === undefined) expect(row[names.length - 1]).toBe(readBack(text))
          else
            expect(row.slice(names.length).filter((cell) => cell !== '')).toHaveLength(
              [...members.values()].filter((value) => !/^(null|"")$/.test(value)).length,
            )
        }
        for (const cell of rows.flat())
          expect(cell).not.toMatch(/^(?:[\s\p{Cf}"]*[=+@＝＋－＠]|[\t\r\n]|-(?!\d))/u)
      }),
    )
  })
})

describe('a hostile ledger', () => {
  it('X15 makes an export read nothing outside the output folder, and print no control characters', async () => {
    const secret = 'SECRET'
    const outside = { path: '../secret.summary.md', size_bytes: 1, mtime_ms: 1, sha256: '' }
    const { cwd, run } = await createExportedFolder({ 'a.md': 'A.' }, [
      createSummarizedEntry('up', '', { output: outside }),
      createSummarizedEntry('deep', '', { output: { ...outside, path: 'x/../../secret.summary.md' } }),
      createSummarizedEntry('absolute', '', { output: { ...outside, path: '/etc/passwd.summary.md' } }),
      createSummarizedEntry('\u001b]0;pwn\u0007\u009b31m\u202e=1+1', '', {
        model: '\u001b[31m<b>"',
        prompt: '=cmd|"/c calc"!A0',
        output: { ...outside, path: 'odd.summary.md' },
      }),
    ])
    await writeFile(join(cwd, 'secret.summary.md'), secret)
    await writeFile(
      join(cwd, 'summaries/odd.summary.md'),
      '=HYPERLINK("x")\u001b[31m\u009b31m</script><script>x</script>',
    )
    for (const format of ['jsonl', 'csv', 'md', 'html']) {
      const { code, stdout, stderr } = await run('--format', format)
      expect([code, stderr]).toEqual([0, expect.stringContaining('3 lines of the ledger cannot be read')])
      expect(stdout).not.toContain(secret)
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/)
      if (format !== 'jsonl' && format !== 'csv') expect(stdout).not.toContain('<script>x')
      if (format === 'csv') expect(stdout).toContain('"\'=HYPERLINK(""x"")')
      if (format === 'jsonl')
        expect(parseLines(stdout).map(({ path }) => path)).toContain('\u001b]0;pwn\u0007\u009b31m\u202e=1+1')
    }
  })
})
