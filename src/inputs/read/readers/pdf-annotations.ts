import type { PdfAnnotation } from './load-pdfjs.ts'

/** A value or a remark on a page that is not part of the page's own text. */
export interface PdfNote {
  /** Left, bottom, right, top; in the coordinates of the page. */
  readonly rect: readonly [number, number, number, number]
  readonly text: string
  /** What the text belongs to if no label is next to it: the description or the name of a field. */
  readonly name?: string | undefined
  /**
   * `value`: belongs next to its label; `mark`: a check box, whose label may also be on its right; `remark`:
   * belongs on a separate line.
   */
  readonly type: 'value' | 'mark' | 'remark'
}

/**
 * Returns the visible form values and notes of a page: text fields, choices, check boxes, typed text, comments
 * and names of attachments. Passwords are left out.
 */
export function listPdfNotes(annotations: readonly PdfAnnotation[]): PdfNote[] {
  return annotations.flatMap((annotation) => {
    const { rect, annotationFlags, subtype } = annotation
    if ((annotationFlags & hiddenFlags) !== 0 || !isRect(rect)) return []
    const content = subtype === 'Widget' ? describeField(annotation) : describeMarkup(annotation)
    if (content === undefined || content.text.trim() === '') return []
    return [{ rect, ...content, text: content.text.replace(/\r\n?/g, '\n').trim() }]
  })
}

/** Whether an annotation is a field that a person fills in on the page. */
export function isFillable({ subtype, fieldType, rect, annotationFlags }: PdfAnnotation): boolean {
  return subtype === 'Widget' && fieldType !== 'Sig' && (annotationFlags & hiddenFlags) === 0 && isRect(rect)
}

/** The flags `Hidden` and `NoView`. */
const hiddenFlags = 2 | 32

function isRect(rect: unknown): rect is PdfNote['rect'] {
  return Array.isArray(rect) && rect.length === 4 && rect.every(Number.isFinite) && rect[2] > rect[0]
}

type Content = Omit<PdfNote, 'rect'> | undefined

function describeField(field: PdfAnnotation): Content {
  const { fieldType, fieldValue, alternativeText, fieldName } = field
  const name = (alternativeText || shortenName(fieldName)) as string
  if (fieldType === 'Btn') {
    if (field.pushButton) return undefined
    const onValue = field.checkBox ? field.exportValue : field.buttonValue
    const isOn = fieldValue != null && fieldValue !== 'Off' && (onValue == null || fieldValue === onValue)
    const option = field.radioButton && onValue != null ? `${name}: ${onValue}` : name
    return { type: 'mark', text: isOn ? '[x]' : '[ ]', name: option }
  }
  if (field.password || fieldType === 'Sig') return undefined
  const values: unknown[] = [fieldValue ?? field.textContent ?? []].flat()
  const texts = values.map((value) => findOptionLabel(field, String(value)).trim())
  return { type: 'value', text: texts.filter((text) => text !== '').join(', '), name }
}

/** Returns the label of a choice; its value may be a code. */
function findOptionLabel({ options }: PdfAnnotation, value: string): string {
  const option = Array.isArray(options) && options.find(({ exportValue }) => exportValue === value)
  return option ? option.displayValue : value
}

/** Returns `Name` for `form1[0].#subform[0].Name[0]`. */
function shortenName(fieldName: unknown): string {
  const name = String(fieldName ?? '').replace(/\[\d+\]/g, '')
  return name.slice(name.lastIndexOf('.') + 1)
}

function describeMarkup(annotation: PdfAnnotation): Content {
  const { subtype, contentsObj, richText, textContent, titleObj, replyType, file } = annotation
  // A popup shows the contents of another annotation. The members of a group show those of its first one.
  if (subtype === 'Popup' || subtype === 'Link' || replyType === 'Group') return undefined
  const contents = [contentsObj?.str, richText?.str].find((text) => text?.trim()) as string | undefined
  if (subtype === 'FreeText') return { type: 'value', text: contents ?? textContent?.join('\n') ?? '' }
  const attached = typeof file?.filename === 'string' ? `[attachment: ${file.filename}]` : ''
  if (contents === undefined) return { type: 'remark', text: attached }
  const author = titleObj?.str?.trim() ? ` by ${titleObj.str.trim()}` : ''
  return { type: 'remark', text: `[note${author}: ${contents.trim()}]${attached && ` ${attached}`}` }
}
