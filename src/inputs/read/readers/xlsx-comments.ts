import type { Relation } from './office-relations.ts'
import { parseXml } from './parse-markup.ts'
import { formatComment } from './sheet-notes.ts'
import type { TextBuilder } from './text-builder.ts'
import { decodeEscapes } from './xlsx-strings.ts'
import type { Zip } from './zip.ts'

/**
 * Adds the comments of a sheet, each with its cell. Threads of comments take precedence over the notes that
 * Excel writes for older programs in the same cells.
 */
export async function addComments(zip: Zip, relations: Iterable<Relation>, text: TextBuilder): Promise<void> {
  const comments: Comment[] = []
  const parts = [...relations].filter(({ target }) => zip.has(target))
  for (const type of ['threadedComment', 'comments']) {
    const threadCells = new Set(comments.map(({ cell }) => cell))
    for (const part of parts.filter((it) => it.type === type))
      for (const comment of await readComments(zip, part.target))
        if (!threadCells.has(comment.cell)) comments.push(comment)
  }
  for (const { cell, words } of comments) {
    if (words === '') continue
    text.addBreak(1)
    text.addWords(formatComment(cell, words))
  }
}

interface Comment {
  readonly cell: string
  readonly words: string
}

async function readComments(zip: Zip, part: string): Promise<readonly Comment[]> {
  const comments: Comment[] = []
  let [cell, words, isText, phoneticDepth] = ['', '', false, 0]
  await parseXml(zip.streamPart(part), {
    onOpen(name, { ref = '' }) {
      if (isComment(name)) [cell, words] = [ref, '']
      if (name === 'rPh') phoneticDepth++
      // `text` holds the text itself in threads, and runs of text in notes.
      isText = name === 't' || name === 'text'
    },
    onText(added) {
      if (isText && phoneticDepth === 0) words += added
    },
    onClose(name) {
      isText = false
      if (name === 'rPh') phoneticDepth--
      if (isComment(name)) comments.push({ cell, words: decodeEscapes(words).trim() })
    },
  })
  return comments
}

function isComment(name: string): boolean {
  return name === 'comment' || name === 'threadedComment'
}
