import type { StoryElement, StoryElements } from './story-element.ts'
import { type Paragraph, type Run, resolveParagraph } from './word-frame.ts'
import { type Section, type Story, skipContent } from './word-story.ts'
import { isOn, parseLevel, toHeadingLevel } from './word-styles.ts'

/** Content that the document does not show: deleted text, earlier properties. */
const skipped: StoryElement = { open: (story) => skipContent(story) }

/** The elements that describe paragraphs, runs, rows and sections, and those that are not shown. */
export const propertyElements: StoryElements = [
  ['w:del', { open: skipDeleted }],
  ['w:moveFrom', { open: skipDeleted }],
  ['w:cellDel', { open: (story) => skipCell(story) }],
  ['w:rPrChange', skipped],
  ['w:pPrChange', skipped],
  ['w:sectPrChange', skipped],
  ['w:tblPrChange', skipped],
  ['w:trPrChange', skipped],
  ['w:tcPrChange', skipped],
  ['w:numberingChange', skipped],
  ['w:tblPrExChange', skipped],
  [
    'w:pPr',
    {
      open: (story) =>
        withParagraph(story, (paragraph) => {
          paragraph.inProperties = true
        }),
      close: ({ frame }) => {
        const paragraph = frame.paragraphs.at(-1)
        if (paragraph === undefined) return
        paragraph.inProperties = false
        resolveParagraph(frame, paragraph)
      },
    },
  ],
  [
    'w:pStyle',
    setParagraph((paragraph, value) => {
      paragraph.styleId = value
    }),
  ],
  [
    'w:numId',
    setParagraph(({ direct }, value) => {
      direct.listId = value
    }),
  ],
  [
    'w:ilvl',
    setParagraph(({ direct }, value) => {
      direct.listLevel = parseLevel(value)
    }),
  ],
  [
    'w:outlineLvl',
    setParagraph(({ direct }, value) => {
      direct.headingLevel = toHeadingLevel(parseLevel(value))
    }),
  ],
  [
    'w:framePr',
    {
      open: (story, { 'w:dropCap': dropCap = 'none' }) =>
        withParagraph(story, (paragraph) => {
          paragraph.joinsNext = dropCap !== 'none'
        }),
    },
  ],
  ['w:vanish', { open: hideText }],
  [
    'w:specVanish',
    {
      open: (story) =>
        withParagraph(story, (paragraph) => {
          paragraph.isEndDeleted = false
          paragraph.joinsNext = true
        }),
    },
  ],
  [
    'w:rStyle',
    setRun((run, id, { context }) => {
      if (context.styles.isHidden(id)) run.isHidden = true
    }),
  ],
  [
    'w:vertAlign',
    setRun((run, value) => {
      run.isRaised = value === 'superscript'
    }),
  ],
  [
    'w:rFonts',
    {
      open: ({ frame }, { 'w:ascii': ascii, 'w:hAnsi': other = '' }) => {
        if (frame.run !== undefined) frame.run.font = ascii ?? other
      },
    },
  ],
  [
    'w:trPr',
    { open: (story) => setRowProperties(story, true), close: (story) => setRowProperties(story, false) },
  ],
  ['w:sectPr', { open: ({ sections }) => void sections.push({ references: [], hasTitlePage: false }) }],
  [
    'w:headerReference',
    setSection(({ references }, type, id) => references.push({ kind: 'header', type, id })),
  ],
  [
    'w:footerReference',
    setSection(({ references }, type, id) => references.push({ kind: 'footer', type, id })),
  ],
  [
    'w:titlePg',
    {
      open({ sections }, { 'w:val': value }) {
        const section = sections.at(-1)
        if (section !== undefined) section.hasTitlePage = isOn(value)
      },
    },
  ],
]

function withParagraph({ frame }: Story, change: (paragraph: Paragraph) => void): void {
  const paragraph = frame.paragraphs.at(-1)
  if (paragraph !== undefined && !paragraph.isResolved) change(paragraph)
}

function setParagraph(change: (paragraph: Paragraph, value: string) => void): StoryElement {
  return {
    open: (story, { 'w:val': value = '' }) => withParagraph(story, (paragraph) => change(paragraph, value)),
  }
}

function setRun(change: (run: Run, value: string, story: Story) => void): StoryElement {
  return {
    open(story, { 'w:val': value = '' }) {
      if (story.frame.run !== undefined) change(story.frame.run, value, story)
    },
  }
}

function setSection(change: (section: Section, type: string, id: string) => void): StoryElement {
  return {
    open({ sections }, { 'w:type': type = 'default', 'r:id': id = '' }) {
      const section = sections.at(-1)
      if (section !== undefined) change(section, type, id)
    },
  }
}

/** Skips deleted text; the same element in properties means that a row or the end of a paragraph is deleted. */
function skipDeleted(story: Story): void {
  const { frame } = story
  const row = frame.rows.at(-1)
  const paragraph = frame.paragraphs.at(-1)
  if (paragraph?.inProperties) paragraph.isEndDeleted = true
  const isRowDeleted = row?.inProperties === true && paragraph?.inProperties !== true
  skipContent(story, isRowDeleted ? row.depth : story.depth)
}

function hideText({ frame }: Story, { 'w:val': value }: Readonly<Record<string, string>>): void {
  const paragraph = frame.paragraphs.at(-1)
  if (frame.run !== undefined) frame.run.isHidden = isOn(value)
  else if (paragraph?.inProperties && isOn(value)) paragraph.isEndDeleted = true
}

/** Skips the cell whose properties are open: `w:tc`, `w:tcPr`, `w:cellDel`. */
function skipCell(story: Story): void {
  skipContent(story, story.depth - 2)
}

function setRowProperties({ frame }: Story, inProperties: boolean): void {
  const row = frame.rows.at(-1)
  if (row !== undefined) row.inProperties = inProperties
}
