import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runChecked } from '../../../support/run-checked.ts'
import { createFolder, startService } from '../../../support/run-cli.ts'
import { createZip } from '../../../support/zip.ts'

/** A table as converters write it: most of the markup describes the layout of each word. */
const createLongDocument = (rows: number) => {
  const look =
    '<w:rPr><w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:cs="Times New Roman"/><w:b/><w:bCs/><w:sz w:val="28"/><w:szCs w:val="28"/></w:rPr>'
  const edge = (side: string) => `<w:${side} w:val="single" w:sz="4" w:space="0" w:color="auto"/>`
  const borders = `<w:tcPr><w:tcW w:w="3332" w:type="dxa"/><w:tcBorders>${['top', 'left', 'bottom', 'right'].map(edge).join('')}</w:tcBorders></w:tcPr>`
  const cell = (text: string) =>
    `<w:tc>${borders}<w:p><w:pPr><w:keepNext/><w:jc w:val="center"/>${look}</w:pPr>${text
      .split(' ')
      .map((word) => `<w:r w:rsidRPr="006903CB">${look}<w:t xml:space="preserve">${word} </w:t></w:r>`)
      .join('')}</w:p></w:tc>`
  const table = Array.from(
    { length: rows },
    (_, n) => `<w:tr>${cell(`Route ${n}`)}${cell('is late by')}${cell(`${n % 60} minutes`)}</w:tr>`,
  )
  return createZip({
    'word/document.xml': `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:tbl>${table.join('')}</w:tbl></w:body></w:document>`,
  })
}

it('a Word document of 12 MB of markup costs less than 250 MB and 4 s', async () => {
  const cwd = await createFolder({
    'docs/small.docx': createLongDocument(1),
    'docs/long.docx': createLongDocument(4500),
    'cost.mjs': `import { writeFileSync } from 'node:fs'
      process.on('exit', () => {
        const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
        writeFileSync(process.env.COST, JSON.stringify([maxRSS / 1000, (userCPUTime + systemCPUTime) / 1e6]))
      })`,
  })
  const { env } = await startService({})
  const measure = async (name: string): Promise<readonly [megabytes: number, seconds: number]> => {
    const more = { COST: join(cwd, 'cost'), NODE_OPTIONS: `--import=${join(cwd, 'cost.mjs')}` }
    const run = { cwd, env: { ...env, ...more }, alsoWrites: ['cost'], inOwnProcess: true }
    const { code } = await runChecked(['summarize', `docs/${name}`], run)
    expect(code).toBe(0)
    return JSON.parse(await readFile(join(cwd, 'cost'), 'utf8'))
  }
  const [, least] = await measure('small.docx')
  const [megabytes, seconds] = await measure('long.docx')
  expect(megabytes).toBeLessThan(250)
  expect(seconds - least).toBeLessThan(4)
})
