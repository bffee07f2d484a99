import { parseOfficeXml } from '../office-namespaces.ts'
import { contentElements } from './content-elements.ts'
import { addCode, controlElements } from './control-elements.ts'
import { drawingElements } from './drawing-elements.ts'
import { createListLabels } from './list-labels.ts'
import { propertyElements } from './property-elements.ts'
import { addBoxes, createFrame } from './word-frame.ts'
import type { WordList } from './word-numbering.ts'
import { addText, createStory, type Section, type StoryContext } from './word-story.ts'

/** What a story does at the start and at the end of an element, by name. */
const elements = new Map([...contentElements, ...drawingElements, ...controlElements, ...propertyElements])

/** Returns the text of the body, a header or a footer. */
export async function readStory(
  content: AsyncIterable<string>,
  context: StoryContext,
  lists: ReadonlyMap<string, WordList>,
): Promise<{ readonly text: string; readonly sections: readonly Section[] }> {
  const story = await parseStory(content, context, lists)
  return { text: story.frame.text.toText(), sections: story.sections }
}

/** Returns the texts of all notes of a part, by id. @param name of the elements: `w:footnote`, `w:endnote` */
export async function readNotes(
  content: AsyncIterable<string>,
  context: StoryContext,
  lists: ReadonlyMap<string, WordList>,
  name: string,
): Promise<ReadonlyMap<string, string>> {
  const notes = new Map<string, string>()
  await parseStory(content, context, lists, { name, onEnd: (id, text) => notes.set(id, text) })
  return notes
}

async function parseStory(
  content: AsyncIterable<string>,
  context: StoryContext,
  lists: ReadonlyMap<string, WordList>,
  note?: { readonly name: string; onEnd(id: string, text: string): void },
) {
  const labels = createListLabels(lists)
  const story = createStory(context, labels)
  let noteId = ''
  await parseOfficeXml(content, {
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
  })
  addBoxes(story.frame)
  return story
}
