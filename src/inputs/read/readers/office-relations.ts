import { posix } from 'node:path'
import { parseXml } from './parse-markup.ts'
import type { Zip } from './zip.ts'

/** One part of an Office file that another refers to. */
export interface Relation {
  /** The last word of its kind: `slide`, `notesSlide`, `worksheet`. */
  readonly type: string
  /** Its name in the archive. */
  readonly target: string
}

/** What a part of an Office Open XML file refers to, by id. */
export async function readRelations(zip: Zip, part: string): Promise<Map<string, Relation>> {
  const folder = posix.dirname(part)
  const index = `${folder}/_rels/${posix.basename(part)}.rels`
  const relations = new Map<string, Relation>()
  if (!zip.has(index)) return relations
  await parseXml(zip.streamPart(index), {
    onOpen(name, { Id: id, Type: type = '', Target: target }) {
      if (!name.endsWith('Relationship') || id === undefined || target === undefined) return
      // From the root where it begins with a slash, else from where the part lies.
      const path = target.startsWith('/') ? target.slice(1) : posix.join(folder, target)
      relations.set(id, { type: posix.basename(type), target: path })
    },
  })
  return relations
}
