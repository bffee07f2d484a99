import type { StoryElements } from './story-element.ts'
import { startPendingCell } from './table-elements.ts'
import { createParagraph, endParagraph, isShown, startLine } from './word-frame.ts'
import { createEquationBuilder } from './word-math.ts'
import { addBlock, addText, type Story } from './word-story.ts'
import { decodeSymbol } from './word-symbols.ts'

/**
 * The elements that are content: paragraphs, tables, runs and what is in them. Elements that are not listed
 * are read through, so that text in any container is kept.
 */
export const contentElements: StoryElements = [
  [
    'w:p',
    {
      open({ frame }) {
        startPendingCell(frame)
        frame.paragraphs.push(createParagraph())
      },
      close: ({ frame }) => endParagraph(frame),
    },
  ],
  [
    'w:r',
    {
      open({ frame }) {
        frame.run = { isHidden: undefined, isRaised: false, font: '' }
      },
      close({ frame }) {
        frame.run = undefined
      },
    },
  ],
  ['w:t', createTextElement()],
  ['m:t', createTextElement()],
  ['a:t', createTextElement()],
  ['a:p', { open: (story) => addText(story, ' ') }],
  ['w:tab', { open: (story) => addSpace(story) }],
  ['w:ptab', { open: (story) => addSpace(story) }],
  ['w:br', { open: addLineBreak }],
  ['w:cr', { open: addLineBreak }],
  ['w:noBreakHyphen', { open: (story) => addText(story, '-') }],
  [
    'w:sym',
    {
      open(story, { 'w:char': code = '', 'w:font': font = '' }) {
        const symbol = decodeSymbol(code, font)
        if (symbol !== '') addText(story, symbol)
      },
    },
  ],
  ['w:footnoteReference', { open: (story, { 'w:id': id = '' }) => addNoteMark(story, 'footnote', id) }],
  ['w:endnoteReference', { open: (story, { 'w:id': id = '' }) => addNoteMark(story, 'endnote', id) }],
  [
    'w:rt',
    {
      open(story) {
        story.guide = ''
        story.inGuide = true
      },
      close(story) {
        story.inGuide = false
      },
    },
  ],
  [
    'w:ruby',
    {
      close(story) {
        const guide = story.guide.trim()
        story.guide = ''
        if (guide !== '') addText(story, `(${guide})`)
      },
    },
  ],
  [
    'm:oMath',
    {
      open(story) {
        story.equation ??= createEquationBuilder()
      },
      close: addEquation,
    },
  ],
  [
    'm:oMathPara',
    { open: ({ frame }) => frame.text.addBreak(1), close: ({ frame }) => frame.text.addBreak(1) },
  ],
  [
    'w:altChunk',
    { open: (story, { 'r:id': id = '' }) => addBlock(story, story.context.chunks.get(id) ?? '') },
  ],
]

function createTextElement() {
  return {
    open(story: Story) {
      story.inText = true
    },
    close(story: Story) {
      story.inText = false
    },
  }
}

function addSpace(story: Story): void {
  // A tab stop in the properties of a paragraph has the same name.
  if (story.frame.paragraphs.at(-1)?.inProperties !== true) addText(story, ' ')
}

function addLineBreak({ frame }: Story): void {
  if (isShown(frame) && frame.paragraphs.at(-1)?.hasText === true) frame.text.addBreak(1)
}

function addNoteMark(story: Story, kind: 'footnote' | 'endnote', id: string): void {
  const { frame } = story
  const number = isShown(frame) ? story.context.numberNote(kind, id) : undefined
  if (number === undefined) return
  startLine(frame)
  frame.text.addVerbatim('^')
  frame.text.addWords(`[${number}]`)
  frame.endsRaised = false
}

function addEquation(story: Story): void {
  const text = story.equation?.toText() ?? ''
  story.equation = undefined
  if (text === '') return
  addText(story, story.endsWithEquation ? ` ${text}` : text)
  story.endsWithEquation = true
}
