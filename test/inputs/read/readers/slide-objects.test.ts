import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import type { FormatName } from '../../../../src/inputs/read/readers/document-formats.ts'
import { writeRelations, writeSlide, writeWorkbook } from '../../../support/table-documents.ts'

const folder = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const padding = 'This sentence makes the text long enough for a format that may consist of images only.'

const read = async (format: FormatName, bytes: Buffer) => {
  const result = await convertDocument({ format, pdf: 'text', bytes })
  return 'action' in result ? `${result.type}: ${result.message}` : result.text
}

const shape = (text: string) => `<p:sp><p:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></p:txBody></p:sp>`
const frame = (content: string) =>
  `<p:graphicFrame><a:graphic><a:graphicData>${content}</a:graphicData></a:graphic></p:graphicFrame>`
const chartSpace = (content: string) =>
  `<c:chartSpace xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">${content}</c:chartSpace>`
const chartTag = '<c:chart xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" r:id="rId1"/>'
const rich = (...runs: string[]) =>
  `<c:tx><c:rich><a:p>${runs.map((text) => `<a:r><a:t>${text}</a:t></a:r>`).join('')}</a:p></c:rich></c:tx>`
const points = (values: Readonly<Record<number, string>>) =>
  Object.entries(values)
    .map(([idx, value]) => `<c:pt idx="${idx}"><c:v>${value}</c:v></c:pt>`)
    .join('')
const strings = (values: Readonly<Record<number, string>>) =>
  `<c:strRef><c:f>Sheet1!$A$1</c:f><c:strCache>${points(values)}</c:strCache></c:strRef>`
const numbers = (values: Readonly<Record<number, string>>, format = 'General') =>
  `<c:numRef><c:f>Sheet1!$B$1</c:f><c:numCache><c:formatCode>${format}</c:formatCode>${points(values)}</c:numCache></c:numRef>`

/** Returns the text of a chart on a slide between two sentences. */
const readChart = async (chart: string) => {
  const slide = `${shape(padding)}${frame(chartTag)}${shape('after')}`
  const text = await read(
    'pptx',
    writeSlide(slide, {
      'ppt/slides/_rels/slide1.xml.rels': writeRelations(['rId1', 'chart', '../charts/chart1.xml']),
      'ppt/charts/chart1.xml': chartSpace(chart),
    }),
  )
  const [start, end] = [`## Slide 1\n${padding}\n\n`, '\n\nafter']
  expect([text.startsWith(start), text.endsWith(end)]).toEqual([true, true])
  return text.slice(start.length, -end.length)
}

describe('charts', () => {
  it('of slides have their title, categories, series and values', async () => {
    const text = await read('pptx', await readFile(join(folder, 'pptx-chart.pptx')))
    expect(text).toContain('\n\nChart: CHART-TITLE\n | SERIES-NAME\n2023 | 4711')
  })

  it('are a table with a column for each series, and with the titles of the axes', async () => {
    const categories = `<c:cat>${strings({ 0: 'Norvik', 1: '007', 2: 'Voss' })}</c:cat>`
    const chart = `<c:title>${rich('Late ', 'ferries')}</c:title><c:plotArea><c:barChart>
      <c:ser><c:tx>${strings({ 0: 'Summer' })}</c:tx>${categories}<c:val>${numbers({ 0: '0.30000000000000004', 2: '7' })}</c:val></c:ser>
      <c:ser><c:tx><c:v>Winter</c:v></c:tx>${categories}<c:val>${numbers({ 0: '0.25', 1: '0.5', 2: '1' }, '0%')}</c:val></c:ser>
      </c:barChart><c:catAx><c:title>${rich('Harbour')}</c:title></c:catAx><c:valAx><c:title>${rich('Days')}</c:title></c:valAx></c:plotArea>`
    expect(await readChart(chart)).toBe(
      'Chart: Late ferries\nAxes: Harbour, Days\n | Summer | Winter\nNorvik | 0.3 | 25%\n007 |  | 50%\nVoss | 7 | 100%',
    )
  })

  it('with dates and with groups of categories name both', async () => {
    const dates = `<c:ser><c:cat>${numbers({ 0: '42064' }, 'm/d/yyyy')}</c:cat><c:val>${numbers({ 0: '5' })}</c:val></c:ser>`
    expect(await readChart(dates)).toBe('2015-03-01 | 5')
    const levels = `<c:multiLvlStrRef><c:multiLvlStrCache><c:lvl>${points({ 0: 'Q1', 1: 'Q2', 2: 'Q1' })}</c:lvl><c:lvl>${points({ 0: '2023', 2: '2024' })}</c:lvl></c:multiLvlStrCache></c:multiLvlStrRef>`
    const grouped = `<c:ser><c:cat>${levels}</c:cat><c:val>${numbers({ 0: '1', 1: '2', 2: '3' })}</c:val></c:ser>`
    expect(await readChart(grouped)).toBe('2023 Q1 | 1\n2023 Q2 | 2\n2024 Q1 | 3')
  })

  it('with points have a table for each series with other categories', async () => {
    const series = (name: string, x: Record<number, string>, y: Record<number, string>) =>
      `<c:ser><c:tx>${strings({ 0: name })}</c:tx><c:xVal>${numbers(x)}</c:xVal><c:yVal>${numbers(y)}</c:yVal><c:bubbleSize>${numbers({ 0: '9' })}</c:bubbleSize></c:ser>`
    expect(
      await readChart(series('one', { 0: '1' }, { 0: '10' }) + series('two', { 0: '2' }, { 0: '20' })),
    ).toBe(' | one | one (size)\n1 | 10 | 9\n | two | two (size)\n2 | 20 | 9')
  })

  it('of the newer kind are read, and their fallback for older programs is not', async () => {
    const chartEx = `<cx:chartSpace xmlns:cx="http://schemas.microsoft.com/office/drawing/2014/chartex" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><cx:chartData><cx:data id="0"><cx:strDim type="cat"><cx:lvl ptCount="1"><cx:pt idx="0">Norvik</cx:pt></cx:lvl></cx:strDim><cx:numDim type="val"><cx:lvl ptCount="1" formatCode="0%"><cx:pt idx="0">0.5</cx:pt></cx:lvl></cx:numDim></cx:data></cx:chartData><cx:chart><cx:title><cx:tx><cx:rich><a:p><a:r><a:t>Funnel</a:t></a:r></a:p></cx:rich></cx:tx></cx:title><cx:plotArea><cx:plotAreaRegion><cx:series><cx:tx><cx:txData><cx:v>Share</cx:v></cx:txData></cx:tx></cx:series></cx:plotAreaRegion></cx:plotArea></cx:chart></cx:chartSpace>`
    const slide = `${shape(padding)}<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>${frame('<cx:chart xmlns:cx="http://schemas.microsoft.com/office/drawing/2014/chartex" r:id="rId1"/>')}</mc:Choice><mc:Fallback>${shape('not available')}</mc:Fallback></mc:AlternateContent>`
    const text = await read(
      'pptx',
      writeSlide(slide, {
        'ppt/slides/_rels/slide1.xml.rels': writeRelations(['rId1', 'chartEx', '../charts/chartEx1.xml']),
        'ppt/charts/chartEx1.xml': chartEx,
      }),
    )
    expect(text).toBe(`## Slide 1\n${padding}\n\nChart: Funnel\n | Share\nNorvik | 50%`)
  })

  it('of sheets follow the rows', async () => {
    const drawing = `<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><xdr:graphicFrame><a:graphic><a:graphicData>${chartTag}</a:graphicData></a:graphic></xdr:graphicFrame></xdr:wsDr>`
    const text = await read(
      'xlsx',
      writeWorkbook({
        sheets: { S: '<row><c><v>1</v></c></row>' },
        parts: {
          'xl/worksheets/_rels/sheet1.xml.rels': writeRelations([
            'rId1',
            'drawing',
            '../drawings/drawing1.xml',
          ]),
          'xl/drawings/drawing1.xml': drawing,
          'xl/drawings/_rels/drawing1.xml.rels': writeRelations(['rId1', 'chart', '../charts/chart1.xml']),
          'xl/charts/chart1.xml': chartSpace(`<c:title>${rich('Late ferries')}</c:title>`),
        },
      }),
    )
    expect(text).toBe('## S\n1\n\nChart: Late ferries')
  })

  it('with thousands of series that have no point in common take little time', async () => {
    const series = Array.from(
      { length: 5000 },
      (_, n) => `<c:ser><c:val>${numbers({ [n]: '1', [n + 9999]: '2' })}</c:val></c:ser>`,
    )
    expect(await readChart(series.join(''))).toContain('1')
  })
})

describe('diagrams and fields of slides', () => {
  it('the words of a diagram are in the place of the diagram', async () => {
    const text = await read('pptx', await readFile(join(folder, 'pptx-smartart.pptx')))
    expect(text).toContain('SMARTART-STEP-ONE collect')
  })

  it('numbers of slides and dates are left out, other fields are read', async () => {
    const field = (type: string, text: string) => `<a:fld type="${type}"><a:t>${text}</a:t></a:fld>`
    const slide = `${shape(padding)}<p:sp><p:txBody><a:p>${field('slidenum', '7')}${field('datetime1', 'today')}${field('TxLink', 'linked')}</a:p></p:txBody></p:sp>`
    expect(await read('pptx', writeSlide(slide))).toBe(`## Slide 1\n${padding}\nlinked`)
  })
})
