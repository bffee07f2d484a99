import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createExportedFolder } from '../../support/exported-folder.ts'

const isMissing = spawnSync('soffice', ['--version']).status !== 0

describe.skipIf(isMissing)(`an export in a spreadsheet${isMissing ? ' (needs LibreOffice)' : ''}`, () => {
  it('X09 has no formula, and its numbers are numbers', { timeout: 180_000 }, async () => {
    const formulas = [
      '=1+1',
      '+1+1',
      '-1+1',
      '@SUM(1)',
      '\t=1+1',
      '\r\n=1+1',
      ' =1+1',
      '"=1+1"',
      '＝1+1',
      '=HYPERLINK("http://example.org")',
    ]
    const { cwd, run } = await createExportedFolder({
      ...Object.fromEntries(formulas.map((text, n) => [`${text.trim()}/${n}.md`, text])),
      'facts.md': JSON.stringify({ '=1+1': '=1+1', n: -5, list: ['=1+1'], text: 'Grüße, "Zoë"\n=1+1' }),
    })
    await run('-o', 'x.csv')
    const open = (name: string) => {
      const profile = `-env:UserInstallation=file://${cwd}/profile`
      // Comma, quotation mark, UTF-8; formulas are evaluated, which is off in a conversion, but not when people open it.
      const filter = '--infilter=CSV:44,34,76,1,,0,false,true,false,false,false,-1,true'
      const args = [
        profile,
        '--headless',
        filter,
        '--convert-to',
        'fods',
        '--outdir',
        cwd,
        join(cwd, `${name}.csv`),
      ]
      execFileSync('soffice', args)
      return readFileSync(join(cwd, `${name}.fods`), 'utf8')
    }
    const table = readFileSync(join(cwd, 'x.csv'), 'utf8')
    writeFileSync(join(cwd, 'unescaped.csv'), table.replaceAll(`"'`, '"'))
    expect(open('unescaped')).toContain('table:formula')
    const sheet = open('x')
    expect(sheet).not.toContain('table:formula')
    expect(sheet).toContain('office:value-type="float" office:value="-5"')
    expect(sheet).toContain('office:value-type="float" office:value="0.00015"')
    expect(sheet).toContain('&apos;=1+1</text:p>')
    expect(sheet).toContain('Grüße, &quot;Zoë&quot;</text:p><text:p>=1+1</text:p>')
  })
})
