import type { MarkedText } from '../../../core/document/mark.ts'
import { addOdfChart } from './odf-chart.ts'
import { createOdfHandler } from './odf-content.ts'
import { listCharts } from './odf-manifest.ts'
import { createOdfStyles } from './odf-styles.ts'
import { parseXml } from './parse-markup.ts'
import { createTextBuilder } from './text-builder.ts'
import { openZip, type Zip } from './zip.ts'

/**
 * Returns the text of an OpenDocument file (text, presentation, spreadsheet): headings, lists, tables, notes and
 * charts; of spreadsheets also comments. Tracked deletions, tables of contents and comments in other documents
 * are left out. Hidden sheets are named.
 */
export async function extractOdfText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const charts = await readCharts(zip)
  const styles = createOdfStyles()
  if (zip.has('styles.xml')) await parseXml(zip.streamPart('styles.xml'), { onOpen: styles.observe })
  const text = createTextBuilder()
  const handler = createOdfHandler(text, { styles, charts })
  await parseXml(zip.streamPart('content.xml'), handler)
  handler.finish()
  return text.toMarkedText()
}

/** Returns the texts of the charts, by folder. */
async function readCharts(zip: Zip): Promise<ReadonlyMap<string, string>> {
  const charts = new Map<string, string>()
  for (const folder of await listCharts(zip)) {
    const part = `${folder}/content.xml`
    if (!zip.has(part)) continue
    const text = createTextBuilder()
    await addOdfChart(zip.streamPart(part), text)
    charts.set(folder, text.toText())
  }
  return charts
}
