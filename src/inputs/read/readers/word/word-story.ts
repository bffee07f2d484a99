import { UnreadableError } from '../unreadable-error.ts'
import type { ListLabels } from './list-labels.ts'
import { createFrame, type Frame, isShown, startLine } from './word-frame.ts'
import type { EquationBuilder } from './word-math.ts'
import type { WordStyles } from './word-styles.ts'
import { replaceSymbols } from './word-symbols.ts'

/** What the stories of a document refer to. */
export interface StoryContext {
  readonly styles: WordStyles
  /** The texts of embedded documents, by relationship id. */
  readonly chunks: ReadonlyMap<string, string>
  /** The texts of charts and diagrams, by relationship id. */
  readonly objects: ReadonlyMap<string, string>
  /** Returns the number under which a note is shown; undefined if there is no such note. */
  numberNote(kind: 'footnote' | 'endnote', id: string): number | undefined
}

/** A section of the document: its headers and footers. */
export interface Section {
  readonly references: { readonly kind: 'header' | 'footer'; readonly type: string; readonly id: string }[]
  /** Whether its first page has a separate header and footer. */
  hasTitlePage: boolean
}

/** A story (body, header, footer or note) that is being read. */
export interface Story {
  readonly context: StoryContext
  readonly labels: ListLabels
  readonly sections: Section[]
  /** The story and the text boxes that are open in it. */
  readonly frames: Frame[]
  /** The innermost frame, which gets the text. */
  frame: Frame
  /** Number of open elements. */
  depth: number
  /** The depth of the element whose content is skipped; 0 for none. */
  skippedDepth: number
  inText: boolean
  /** Whether the text is the code of a field. */
  inCode: boolean
  equation: EquationBuilder | undefined
  /** Whether the text so far ends with an equation, so that another one needs a space. */
  endsWithEquation: boolean
  /** The reading above a base text (ruby), which follows the base in parentheses. */
  guide: string
  inGuide: boolean
  readonly alternatives: { before: number; hasText: boolean }[]
  readonly controls: ContentControl[]
  form: FormField | undefined
  startsField: boolean
  altText: string
  /** Number of additions to the text. */
  additions: number
}

/** A content control; `box` is its mark if it is a check box. */
export interface ContentControl {
  box: '[x]' | '[ ]' | undefined
  isOpen: boolean
  isShown: boolean
}

/** A legacy form field: a check box or a list of choices. */
interface FormField {
  readonly entries: string[]
  isChecked: boolean | undefined
  choice: number | undefined
  default: string | undefined
}

/** Returns a story without text. */
export function createStory(context: StoryContext, labels: ListLabels): Story {
  const frame = createFrame(context.styles, labels)
  return {
    context,
    labels,
    sections: [],
    frames: [frame],
    frame,
    depth: 0,
    skippedDepth: 0,
    inText: false,
    inCode: false,
    equation: undefined,
    endsWithEquation: false,
    guide: '',
    inGuide: false,
    alternatives: [],
    controls: [],
    form: undefined,
    startsField: false,
    altText: '',
    additions: 0,
  }
}

/** Skips the content of the innermost element, or of the one at a depth. */
export function skipContent(story: Story, depth = story.depth): void {
  story.skippedDepth = depth
}

/** Adds text of the document, if it is shown, to the story or to the equation that is open. */
export function addText(story: Story, text: string): void {
  const { frame } = story
  if (!isShown(frame)) return
  const { run } = frame
  const shown = replaceSymbols(text, run?.font ?? '')
  if (story.inGuide) story.guide += shown
  else if (story.equation !== undefined) story.equation.addText(shown)
  else {
    const control = story.controls.at(-1)
    const isBox = control?.isOpen === true && control.box !== undefined
    if (isBox) showBox(story, control)
    addWords(story, isBox ? shown.replace(boxGlyphs, '') : shown)
  }
}

/** The glyphs by which Word shows a check box, which its mark replaces. */
const boxGlyphs = /[\u2610-\u2612\u25a0\u25a1\u25fb\u2713-\u2718]|\ud83d[\uddf4-\uddf9]/g

/** Adds the mark of a check box, unless it is there. */
export function showBox(story: Story, control: ContentControl): void {
  if (control.isShown || control.box === undefined) return
  control.isShown = true
  addWords(story, ` ${control.box} `)
}

/** Adds words to the innermost paragraph, and `^` before those that are raised. */
export function addWords(story: Story, words: string): void {
  const { frame } = story
  const paragraph = frame.paragraphs.at(-1)
  const isBlank = /^\s*$/.test(words)
  if (isBlank && paragraph?.hasText === false && !frame.continues) return
  startLine(frame)
  story.endsWithEquation = false
  if (!isBlank) {
    story.additions++
    const isRaised = frame.run?.isRaised === true
    if (isRaised && !frame.endsRaised) frame.text.addVerbatim('^')
    frame.endsRaised = isRaised
  }
  frame.text.addWords(words)
}

/** Adds a block, such as an embedded document, with its line breaks. */
export function addBlock(story: Story, block: string): void {
  if (block === '') return
  story.additions++
  story.frame.text.addBreak(2)
  story.frame.text.addVerbatim(block)
  story.frame.isAfterListItem = false
}

/** Starts a text box, whose text follows the paragraph in which it is anchored. */
export function openBox(story: Story): void {
  if (story.frames.length > maxBoxes)
    throw new UnreadableError('too_complex', `its text boxes are nested more than ${maxBoxes} deep`)
  story.frame = createFrame(story.context.styles, story.labels)
  story.frames.push(story.frame)
}

/** Ends the innermost text box. */
export function closeBox(story: Story): void {
  const text = story.frame.text.toText()
  story.frames.pop()
  story.frame = story.frames.at(-1) ?? story.frame
  if (text.trim() !== '' && isShown(story.frame)) story.frame.boxes.push(text)
}

/** Each level copies the text, and Word does not nest text boxes at all. */
const maxBoxes = 20
