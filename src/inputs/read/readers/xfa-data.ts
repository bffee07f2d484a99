import { parseXml } from './parse-markup.ts'

/** A value that was filled into a form. */
export interface XfaValue {
  readonly name: string
  readonly value: string
  /** Whether a field of the form took the value. */
  isUsed: boolean
}

/**
 * Returns the values that were filled into an XFA form, in their order: the innermost elements of its data
 * that have text.
 */
export async function listXfaValues(xml: string): Promise<XfaValue[]> {
  const values: XfaValue[] = []
  // The open elements from the data on; without one, the parser is outside the data.
  const open: { readonly name: string; text: string; isRichText: boolean }[] = []
  let isInDatasets = false
  await parseXml(xml, {
    onOpen(tag) {
      const name = toLocalName(tag)
      if (name === 'datasets') isInDatasets = true
      const parent = open.at(-1)
      if (parent === undefined && !(isInDatasets && name === 'data')) return
      const isRichText = parent?.isRichText === true || name === 'body'
      if (isRichText && name === 'p' && parent) parent.text += '\n'
      open.push({ name, text: '', isRichText })
    },
    onText(text) {
      const element = open.at(-1)
      if (element !== undefined) element.text += text
    },
    onClose(tag) {
      if (toLocalName(tag) === 'datasets') isInDatasets = false
      const element = open.pop()
      const parent = open.at(-1)
      if (element === undefined || parent === undefined) return
      // The paragraphs of formatted text are the value of the element around them.
      if (element.isRichText) parent.text += element.text
      else if (element.text.trim() !== '')
        values.push({ name: element.name, value: element.text.trim(), isUsed: false })
    },
  })
  return values
}

/** Returns the name of a tag without its prefix. */
export function toLocalName(tag: string): string {
  return tag.slice(tag.indexOf(':') + 1)
}
