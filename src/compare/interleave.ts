import { hash } from 'node:crypto'
import { numbered, type Source } from '../core/document/document.ts'
import type { Destination } from '../run/output.ts'
import type { Arm } from './variants.ts'

/** So many of the sources, chosen by their paths alone, so that the next comparison has the same ones. */
export function sampled(sources: readonly Source[], count: number): readonly Source[] {
  if (count === 0 || count >= sources.length) return sources
  const rank = (path: string) => hash('sha256', path)
  const chosen = [...sources].sort((a, b) => (rank(a.path) < rank(b.path) ? -1 : 1)).slice(0, count)
  return numbered(chosen.sort((a, b) => a.index - b.index))
}

/** One source for each document and arm that is to do: all arms of a document together, a different one first each time. */
export function inTurns(sources: readonly Source[], arms: readonly Arm[], opened: readonly Destination[]) {
  const todo = opened.map((destination) => new Set(destination.todo))
  const owners = new Map<Source, { readonly asking: Arm['asking']; readonly to: Destination }>()
  const tasks: Source[] = []
  for (const [turn, source] of sources.entries()) {
    for (let n = 0; n < arms.length; n++) {
      const at = (turn + n) % arms.length
      const [arm, to] = [arms[at], opened[at]]
      if (arm === undefined || to === undefined || !todo[at]?.has(source)) continue
      const task = { ...source }
      owners.set(task, { asking: arm.asking, to })
      tasks.push(task)
    }
  }
  const armFor = (source: Source) => {
    const owner = owners.get(source)
    if (owner === undefined) throw new Error(`${source.path} is no task of any arm`)
    return owner
  }
  return { tasks, armFor }
}
