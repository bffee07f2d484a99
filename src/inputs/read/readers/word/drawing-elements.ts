import { referenceByTag } from '../office-drawing.ts'
import type { StoryElement, StoryElements } from './story-element.ts'
import { isShown } from './word-frame.ts'
import { addText, addWords, closeBox, openBox, type Story, skipContent } from './word-story.ts'

/** The elements of drawings: text boxes, decorative text, descriptions of pictures, alternatives. */
export const drawingElements: StoryElements = [
  ['w:txbxContent', { open: openBox, close: closeBox }],
  ['v:textpath', { open: (story, { string = '' }) => addArt(story, string) }],
  ['wp:docPr', { open: (story, { descr = '', title = '' }) => keepAltText(story, descr || title) }],
  ['w:drawing', { close: (story) => keepAltText(story, '') }],
  ['a:blip', { open: addAltText }],
  ...[...referenceByTag].map(([name, reference]) => [name, createObjectElement(reference)] as const),
  [
    'v:imagedata',
    {
      open(story, { 'o:title': title = '' }) {
        keepAltText(story, title)
        addAltText(story)
      },
    },
  ],
  [
    'mc:AlternateContent',
    {
      open({ alternatives, additions }) {
        alternatives.push({ before: additions, hasText: false })
      },
      close({ alternatives }) {
        alternatives.pop()
      },
    },
  ],
  ['mc:Choice', { open: chooseAlternative, close: endAlternative }],
  ['mc:Fallback', { open: chooseAlternative }],
]

function addArt(story: Story, words: string): void {
  if (words.trim() !== '') addText(story, ` ${words} `)
}

function keepAltText(story: Story, text: string): void {
  story.altText = text.trim()
}

function addAltText(story: Story): void {
  if (story.altText !== '' && isShown(story.frame)) addWords(story, `[${story.altText}]`)
  story.altText = ''
}

/** A chart or a diagram, whose text follows the paragraph in which it is anchored. */
function createObjectElement(reference: string): StoryElement {
  return {
    open(story, { [reference]: id = '' }) {
      addAltText(story)
      const text = story.context.objects.get(id)
      if (text === undefined || !isShown(story.frame)) return
      story.additions++
      story.frame.boxes.push(text)
    },
  }
}

/** Reads an alternative only if the ones before it have no text. */
function chooseAlternative(story: Story): void {
  if (story.alternatives.at(-1)?.hasText === true) skipContent(story)
}

function endAlternative({ alternatives, additions }: Story): void {
  const alternative = alternatives.at(-1)
  if (alternative !== undefined && additions > alternative.before) alternative.hasText = true
}
