import type { MarkedText } from '../../../core/document/mark.ts'
import { extractHtmlText } from './html-reader.ts'
import { addOdfChart } from './odf-chart.ts'
import { createOdfHandler } from './odf-content.ts'
import { listObjects } from './odf-manifest.ts'
import { createOdfStyles } from './odf-styles.ts'
import { parseXml } from './parse-markup.ts'
import { createTextBuilder } from './text-builder.ts'
import { openZip, type Zip } from './zip.ts'

/**
 * Returns the text of an OpenDocument file (text, presentation, spreadsheet): headings, lists, tables, notes,
 * formulas and charts; of spreadsheets also comments. Tracked deletions, tables of contents and comments in other documents
 * are left out. Hidden sheets are named.
 */
export async function extractOdfText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const { charts, formulas } = await listObjects(zip)
  const styles = createOdfStyles()
  if (zip.has('styles.xml')) await parseXml(zip.streamPart('styles.xml'), { onOpen: styles.observe })
  const text = createTextBuilder()
  const handler = createOdfHandler(text, {
    styles,
    charts: await readObjects(zip, charts, readChart),
    formulas: await readObjects(zip, formulas, (content) => extractHtmlText(content, { xml: true })),
  })
  await parseXml(zip.streamPart('content.xml'), handler)
  handler.finish()
  return text.toMarkedText()
}

/** Returns the texts of charts or formulas, by folder. */
async function readObjects(
  zip: Zip,
  folders: readonly string[],
  read: (content: AsyncIterable<string>) => Promise<string>,
): Promise<ReadonlyMap<string, string>> {
  const objects = new Map<string, string>()
  for (const folder of folders) {
    const part = `${folder}/content.xml`
    if (zip.has(part)) objects.set(folder, await read(zip.streamPart(part)))
  }
  return objects
}

async function readChart(content: AsyncIterable<string>): Promise<string> {
  const text = createTextBuilder()
  await addOdfChart(content, text)
  return text.toText()
}
