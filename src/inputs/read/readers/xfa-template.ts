import { parseXml } from './parse-markup.ts'
import { toLocalName, type XfaValue } from './xfa-data.ts'

/** A field or a text of the form. */
interface FormItem {
  readonly name: string
  readonly isField: boolean
  caption: string
  /** The text of the form, or what the field contains until it is filled in. */
  value: string
  isCheckBox: boolean
  /** The choices as they are shown, and as they are saved. */
  readonly choices: string[][]
}

/**
 * Returns the texts of an XFA form in their order, with the values of its fields after their captions. Values
 * belong to fields by name, in the order of both. Hidden parts and scripts are left out; values that belong to
 * no visible field stay unused.
 */
export async function listXfaLines(xml: string, values: readonly XfaValue[]): Promise<string[]> {
  const takeValue = createValueSource(values)
  const lines: string[] = []
  let item: FormItem | undefined
  let groupValue: string | undefined
  // Counts the open elements inside an ignored one.
  let ignored = 0
  const open: OpenElement[] = []
  await parseXml(xml, {
    onOpen(tag, attributes) {
      const name = toLocalName(tag)
      if (ignored > 0 || !isShown(name, attributes, open)) {
        ignored++
        return
      }
      open.push({ name, region: open.at(-1)?.region ?? regions.find((region) => region === name) })
      if (name === 'exclGroup') groupValue = takeValue(attributes['name'] ?? '') ?? ''
      if (name === 'field' || name === 'draw')
        item = { name: attributes['name'] ?? '', isField: name === 'field', ...createEmptyItem() }
      if (name === 'checkButton' && item !== undefined) item.isCheckBox = true
      if (name === 'items') item?.choices.push([])
      if (open.at(-2)?.name === 'items') item?.choices.at(-1)?.push('')
      if (name === 'p' || name === 'br') addText('\n', item, open.at(-1)?.region)
    },
    onText(text) {
      if (ignored === 0) addText(text, item, open.at(-1)?.region)
    },
    onClose() {
      if (ignored > 0) {
        ignored--
        return
      }
      const name = open.pop()?.name
      if (name === 'exclGroup') groupValue = undefined
      if ((name !== 'field' && name !== 'draw') || item === undefined) return
      lines.push(
        describeItem(item, groupValue ?? (item.isField ? takeValue(item.name) : undefined), groupValue),
      )
      item = undefined
    },
  })
  return lines.filter((line) => line !== '')
}

/** Returns a function that takes the next value of a name. */
function createValueSource(values: readonly XfaValue[]): (name: string) => string | undefined {
  const stacks = new Map<string, XfaValue[]>()
  for (const value of [...values].reverse()) {
    const stack = stacks.get(value.name)
    if (stack === undefined) stacks.set(value.name, [value])
    else stack.push(value)
  }
  return (name) => {
    const next = stacks.get(name)?.pop()
    if (next !== undefined) next.isUsed = true
    return next?.value
  }
}

/** The parts of a field that have text. */
const regions = ['items', 'caption', 'value'] as const

interface OpenElement {
  readonly name: string
  /** The outermost region that the element is in. */
  readonly region: (typeof regions)[number] | undefined
}

function createEmptyItem(): Pick<FormItem, 'caption' | 'value' | 'isCheckBox' | 'choices'> {
  return { caption: '', value: '', isCheckBox: false, choices: [] }
}

/** Only the template has texts of the form; other parts have copies of it, settings and images. */
function isShown(
  name: string,
  { presence }: Readonly<Record<string, string>>,
  open: readonly OpenElement[],
): boolean {
  if (presence === 'hidden' || presence === 'inactive' || presence === 'invisible') return false
  if (open.length === 0) return name === 'xdp' || name === 'template'
  if (open.length === 1 && open[0]?.name === 'xdp') return name === 'template'
  return !ignoredElements.has(name)
}

const ignoredElements = new Set(
  'script event calculate validate assist image desc extras bind proto pageSet connect setProperty'.split(
    ' ',
  ),
)

function addText(text: string, item: FormItem | undefined, region: OpenElement['region']): void {
  if (item === undefined) return
  if (region === 'caption' || region === 'value') item[region] += text
  const choices = region === 'items' ? (item.choices.at(-1) ?? []) : []
  if (choices.length > 0) choices[choices.length - 1] += text
}

function describeItem(item: FormItem, filledIn: string | undefined, groupValue: string | undefined): string {
  const caption = tidy(item.caption)
  const value = tidy(filledIn ?? item.value)
  const [shown = [], saved = []] = item.choices
  if (item.isCheckBox) {
    const onValue = shown[0]?.trim() ?? '1'
    const isOn = value !== '' && value === onValue
    return groupValue !== undefined || caption !== '' || isOn
      ? `${isOn ? '[x]' : '[ ]'} ${caption || item.name}`
      : ''
  }
  if (!item.isField || value === '') return caption || value
  const choice = shown[saved.findIndex((code) => code.trim() === value)]?.trim()
  return `${(caption || item.name).replace(/\s*:$/, '')}: ${choice || value}`
}

function tidy(text: string): string {
  return text
    .replace(/[ \t\r\u00a0]+/g, ' ')
    .replace(/ ?\n[\n ]*/g, '\n')
    .trim()
}
