import type { MarkedText } from '../../../../core/document/mark.ts'
import { parseXml } from '../parse-markup.ts'
import { contentElements } from './content-elements.ts'
import { addCode, controlElements } from './control-elements.ts'
import { drawingElements } from './drawing-elements.ts'
import { createListLabels, type ListLabels } from './list-labels.ts'
import { propertyElements } from './property-elements.ts'
import { tableElements } from './table-elements.ts'
import { addBoxes, createFrame } from './word-frame.ts'
import type { WordList } from './word-numbering.ts'
import { addText, createStory, type Section, type StoryContext } from './word-story.ts'

/** What a story does at the start and at the end of an element, by name. */
const elements = new Map([
  ...contentElements,
  ...tableElements,
  ...drawingElements,
  ...controlElements,
  ...propertyElements,
])

/** Returns the text of the body, a header or a footer. */
export async function readStory(
  content: AsyncIterable<string>,
  context: StoryContext,
  lists: ReadonlyMap<string, WordList>,
): Promise<MarkedText & { readonly sections: readonly Section[] }> {
  const reader = createStoryReader(context, createListLabels(lists))
  await parseXml(content, reader)
  return reader.finish()
}

/** Returns the texts of all notes of a part, by id. @param name of the elements: `w:footnote`, `w:endnote` */
export async function readNotes(
  content: AsyncIterable<string>,
  context: StoryContext,
  lists: ReadonlyMap<string, WordList>,
  name: string,
): Promise<ReadonlyMap<string, string>> {
  const notes = new Map<string, string>()
  const note = { name, onEnd: (id: string, text: string) => notes.set(id, text) }
  await parseXml(content, createStoryReader(context, createListLabels(lists), note))
  return notes
}

/** Reads a story from its elements, which come from XML or from a reader of an older format. */
export interface StoryReader {
  onOpen(name: string, attributes: Readonly<Record<string, string>>): void
  onText(text: string): void
  onClose(name: string): void
  /** Returns the text of the story. Call it after the last element. */
  finish(): MarkedText & { readonly sections: readonly Section[] }
}

/**
 * Returns a reader of one story.
 * @param note the name of the elements that are notes, each with a separate text
 */
export function createStoryReader(
  context: StoryContext,
  labels: ListLabels,
  note?: { readonly name: string; onEnd(id: string, text: string): void },
): StoryReader {
  const story = createStory(context, labels)
  let noteId = ''
  return {
    onOpen(name, attributes) {
      story.depth++
      if (story.skippedDepth > 0) return
      if (name === note?.name) {
        noteId = attributes['w:id'] ?? ''
        story.frame = createFrame(context.styles, labels)
        story.frames[0] = story.frame
      }
      story.equation?.open(name, attributes)
      elements.get(name)?.open?.(story, attributes)
    },
    onText(text) {
      if (story.skippedDepth > 0) return
      if (story.inText) addText(story, text)
      else if (story.inCode) addCode(story, text)
    },
    onClose(name) {
      const depth = story.depth--
      if (story.skippedDepth > 0) {
        if (depth > story.skippedDepth) return
        story.skippedDepth = 0
      }
      story.equation?.close(name)
      elements.get(name)?.close?.(story)
      if (name === note?.name) note.onEnd(noteId, story.frame.text.toText())
    },
    finish() {
      addBoxes(story.frame)
      return { ...story.frame.text.toMarkedText(), sections: story.sections }
    },
  }
}
