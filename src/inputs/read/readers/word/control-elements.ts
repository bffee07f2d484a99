import { maxCodeChars, showFieldCode } from './field-code.ts'
import type { StoryElements } from './story-element.ts'
import { beginField, beginFieldResult, endField } from './word-frame.ts'
import { addText, type Story, showBox } from './word-story.ts'
import { isOn } from './word-styles.ts'

/** The elements of fields, legacy form fields and content controls. */
export const controlElements: StoryElements = [
  [
    'w:fldChar',
    {
      open(story, { 'w:fldCharType': type }) {
        // The form field is read first, because the code of a field is not shown.
        story.startsField = type === 'begin'
        if (type === 'separate') beginFieldResult(story.frame)
        if (type === 'end') addText(story, showFieldCode(endField(story.frame)))
      },
      close(story) {
        if (story.startsField) beginField(story.frame)
        story.startsField = false
      },
    },
  ],
  [
    'w:instrText',
    {
      open(story) {
        story.inCode = true
      },
      close(story) {
        story.inCode = false
      },
    },
  ],
  ['w:checkBox', { open: startForm, close: endCheckBox }],
  ['w:ddList', { open: startForm, close: endChoice }],
  [
    'w:checked',
    {
      open({ form }, { 'w:val': value }) {
        if (form !== undefined) form.isChecked = isOn(value)
      },
    },
  ],
  [
    'w:default',
    {
      open({ form }, { 'w:val': value }) {
        if (form !== undefined) form.default = value ?? '1'
      },
    },
  ],
  [
    'w:result',
    {
      open({ form }, { 'w:val': value = '' }) {
        if (form !== undefined) form.choice = Number.parseInt(value, 10)
      },
    },
  ],
  ['w:listEntry', { open: ({ form }, { 'w:val': value = '' }) => void form?.entries.push(value) }],
  [
    'w:sdt',
    {
      open({ controls }) {
        controls.push({ box: undefined, isOpen: false, isShown: false })
      },
      close({ controls }) {
        controls.pop()
      },
    },
  ],
  ['w14:checkbox', { open: (story) => setBox(story, false) }],
  ['w14:checked', { open: (story, { 'w14:val': value }) => setBox(story, isOn(value)) }],
  [
    'w:sdtContent',
    {
      open({ controls }) {
        const control = controls.at(-1)
        if (control !== undefined) control.isOpen = true
      },
      close(story) {
        const control = story.controls.at(-1)
        if (control?.box !== undefined) showBox(story, control)
      },
    },
  ],
]

/** Adds to the code of the innermost field. */
export function addCode({ frame }: Story, text: string): void {
  const field = frame.fields.at(-1)
  if (field?.isAtCode && field.code.length < maxCodeChars) field.code += text
}

function startForm(story: Story): void {
  story.form = { entries: [], isChecked: undefined, choice: undefined, default: undefined }
}

function endCheckBox(story: Story): void {
  const { form } = story
  story.form = undefined
  const isChecked = form?.isChecked ?? (form?.default !== undefined && isOn(form.default))
  addText(story, isChecked ? ' [x] ' : ' [ ] ')
}

function endChoice(story: Story): void {
  const { form } = story
  story.form = undefined
  const chosen = form?.entries[form.choice ?? Number.parseInt(form.default ?? '0', 10)]
  if (chosen !== undefined) addText(story, ` ${chosen} `)
}

function setBox({ controls }: Story, isChecked: boolean): void {
  const control = controls.at(-1)
  if (control !== undefined) control.box = isChecked ? '[x]' : '[ ]'
}
