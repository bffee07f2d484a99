import { posix } from 'node:path'
import { parseXml } from './parse-markup.ts'
import type { Zip } from './zip.ts'

/** A reference from one part of an Office file to another. */
export interface Relation {
  /** The last segment of the relationship type: `slide`, `notesSlide`, `worksheet`. */
  readonly type: string
  /** The name of the other part in the archive. */
  readonly target: string
}

/** Returns the references of a part of an Office Open XML file, by id; of the file itself for an empty name. */
export async function readRelations(zip: Zip, part: string): Promise<Map<string, Relation>> {
  const folder = posix.dirname(part)
  const index = posix.join(folder, '_rels', `${posix.basename(part)}.rels`)
  const relations = new Map<string, Relation>()
  if (!zip.has(index)) return relations
  await parseXml(zip.streamPart(index), {
    onOpen(name, { Id: id, Type: type = '', Target: target }) {
      if (!name.endsWith('Relationship') || id === undefined || target === undefined) return
      // A target with a leading slash is relative to the root, otherwise to the folder of the part.
      const path = target.startsWith('/') ? target.slice(1) : posix.join(folder, target)
      relations.set(id, { type: posix.basename(type), target: path })
    },
  })
  return relations
}
