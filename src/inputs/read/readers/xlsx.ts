import type { MarkedText } from '../../../core/document/mark.ts'
import { addDrawingText } from './office-drawing.ts'
import { findMainPart, type Relation, readRelations } from './office-relations.ts'
import { parseXml } from './parse-markup.ts'
import { createHiddenSheetsError, describeHiddenSheet } from './sheet-notes.ts'
import { createTextBuilder, type TextBuilder } from './text-builder.ts'
import { addComments } from './xlsx-comments.ts'
import { addSheetRows } from './xlsx-sheet.ts'
import { readSharedStrings } from './xlsx-strings.ts'
import { readNumberFormats } from './xlsx-styles.ts'
import { openZip, type Zip } from './zip.ts'

/**
 * Returns the text of a workbook's visible sheets, row by row: the values of the cells, dates as dates,
 * formulas as their results; then comments, text boxes and charts. Hidden sheets are named.
 */
export async function extractXlsxText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const workbook = await findMainPart(zip, 'xl/workbook.xml')
  const { sheets, from1904 } = await readWorkbook(zip, workbook)
  const relations = await readRelations(zip, workbook)
  const findPart = (type: string) => [...relations.values()].find((it) => it.type === type)?.target
  const strings = await readSharedStrings(zip, findPart('sharedStrings') ?? 'xl/sharedStrings.xml')
  const getFormat = await readNumberFormats(zip, findPart('styles') ?? 'xl/styles.xml')
  const text = createTextBuilder()
  let visibleSize = 0
  for (const { name, id, isHidden } of sheets) {
    const part = relations.get(id)?.target
    if (part === undefined || !zip.has(part)) continue
    text.addBreak(2)
    if (isHidden) {
      text.addWords(describeHiddenSheet(name))
      continue
    }
    text.markPosition('sheet', name)
    text.addMark('## ')
    text.addWords(name)
    text.addBreak(1)
    const sizeBefore = text.size()
    await addSheetRows(zip, part, text, { strings, getFormat, from1904 })
    const sheetRelations = [...(await readRelations(zip, part)).values()]
    await addComments(zip, sheetRelations, text)
    await addDrawings(zip, sheetRelations, text)
    visibleSize += text.size() - sizeBefore
  }
  if (visibleSize === 0 && sheets.some(({ isHidden }) => isHidden)) throw createHiddenSheetsError()
  return text.toMarkedText()
}

interface Sheet {
  readonly name: string
  /** The id of its relation. */
  readonly id: string
  readonly isHidden: boolean
}

async function readWorkbook(
  zip: Zip,
  part: string,
): Promise<{ readonly sheets: readonly Sheet[]; readonly from1904: boolean }> {
  const sheets: Sheet[] = []
  let from1904 = false
  await parseXml(zip.streamPart(part), {
    onOpen(name, { name: title = '', 'r:id': id, state = 'visible', date1904 }) {
      if (name === 'workbookPr') from1904 = date1904 === '1' || date1904 === 'true'
      if (name === 'sheet' && id !== undefined)
        sheets.push({ name: title, id, isHidden: state !== 'visible' })
    },
  })
  return { sheets, from1904 }
}

/** Adds the text boxes, charts and diagrams of a sheet. */
async function addDrawings(zip: Zip, relations: readonly Relation[], text: TextBuilder): Promise<void> {
  for (const { type, target } of relations) {
    if (type !== 'drawing' || !zip.has(target)) continue
    text.addBreak(2)
    await addDrawingText(zip, target, text)
  }
}
