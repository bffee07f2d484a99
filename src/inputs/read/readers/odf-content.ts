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
  const isHidden = (name: string, attributes: Readonly<Record<string, string>>) =>
    nonContentTags.has(name) ||
    name === coveredCell ||
    (name === 'office:annotation' && !body.isSpreadsheet()) ||
    (name === 'table:table' &&
      body.isSpreadsheet() &&
      styles.isHidden(attributes['table:style-name'] ?? '')) ||
    (hidableTags.has(name) && styles.isHidden(attributes['text:style-name'] ?? '')) ||
    attributes['text:is-hidden'] === 'true' ||
    (name === 'text:section' && attributes['text:display'] === 'none')
  return {
    onOpen(name, attributes) {
      styles.observe(name, attributes)
      if (hiddenDepth > 0) hiddenDepth++
      else if (isHidden(name, attributes)) {
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

/** The elements that a style can hide. */
const hidableTags: ReadonlySet<string> = new Set(['text:p', 'text:h', 'text:span'])

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
