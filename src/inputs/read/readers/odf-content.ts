import { createBodyReader, type OdfContext } from './odf-body.ts'
import { createOdfSheets } from './odf-sheets.ts'
import { coveredCell, createOdfTables } from './odf-tables.ts'
import type { MarkupHandler } from './parse-markup.ts'
import type { TextBuilder } from './text-builder.ts'

/** Returns a handler that adds the text of `content.xml`; call `finish` at its end. */
export function createOdfHandler(text: TextBuilder, context: OdfContext): MarkupHandler & { finish(): void } {
  const { styles } = context
  const sheets = createOdfSheets(text)
  const tables = createOdfTables(text, () => body.isSpreadsheet())
  const body = createBodyReader(text, context, { tables, sheets })
  let hiddenDepth = 0
  const isHidden = (name: string, style: string | undefined) =>
    nonContentTags.has(name) ||
    name === coveredCell ||
    (name === 'office:annotation' && !body.isSpreadsheet()) ||
    (name === 'table:table' && body.isSpreadsheet() && styles.isHidden(style ?? ''))
  return {
    onOpen(name, attributes) {
      styles.observe(name, attributes)
      const style = attributes['table:style-name']
      if (hiddenDepth > 0) hiddenDepth++
      else if (isHidden(name, style)) {
        hiddenDepth = 1
        if (name === coveredCell) tables.open(name, attributes)
        if (name === 'table:table') sheets.skipSheet(attributes['table:name'] ?? '')
      } else body.open(name, attributes)
    },
    onText(words) {
      if (hiddenDepth === 0) body.addText(words)
    },
    onClose(name) {
      if (hiddenDepth === 0) body.close(name)
      else if (--hiddenDepth === 0 && name === coveredCell) tables.close(name)
    },
    finish: sheets.checkVisibleText,
  }
}

const nonContentTags: ReadonlySet<string> = new Set([
  'text:tracked-changes',
  'text:table-of-content',
  'text:note-citation',
  'office:settings',
  'office:styles',
  'office:automatic-styles',
  'office:font-face-decls',
  'presentation:date-time-decl',
  'presentation:date-time',
  'presentation:footer-decl',
  'text:page-number',
])
