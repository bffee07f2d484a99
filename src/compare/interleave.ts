import { hash } from 'node:crypto'
import { type DocumentRef, renumber } from '../core/document/document.ts'
import type { FolderOutput } from '../run/output.ts'
import type { ComparedVariant } from './variants.ts'

/** So many of the sources, chosen by their paths alone, so that the next comparison has the same ones. */
export function sampleByPath(sources: readonly DocumentRef[], count: number): readonly DocumentRef[] {
  if (count === 0 || count >= sources.length) return sources
  const hashPath = (path: string) => hash('sha256', path)
  const chosen = [...sources].sort((a, b) => (hashPath(a.path) < hashPath(b.path) ? -1 : 1)).slice(0, count)
  return renumber(chosen.sort((a, b) => a.index - b.index))
}

/** One source per document and variant that is pending: all variants of a document together, rotating which is first. */
export function interleave(
  sources: readonly DocumentRef[],
  variants: readonly ComparedVariant[],
  outputs: readonly FolderOutput[],
) {
  const pendingByVariant = outputs.map((destination) => new Set(destination.pending))
  const owners = new Map<
    DocumentRef,
    { readonly requestBuilder: ComparedVariant['requestBuilder']; readonly output: FolderOutput }
  >()
  const tasks: DocumentRef[] = []
  for (const [turn, source] of sources.entries()) {
    for (let n = 0; n < variants.length; n++) {
      const variantIndex = (turn + n) % variants.length
      const [variant, to] = [variants[variantIndex], outputs[variantIndex]]
      if (variant === undefined || to === undefined || !pendingByVariant[variantIndex]?.has(source)) continue
      const task = { ...source }
      owners.set(task, { requestBuilder: variant.requestBuilder, output: to })
      tasks.push(task)
    }
  }
  const findVariant = (source: DocumentRef) => {
    const owner = owners.get(source)
    if (owner === undefined) throw new Error(`${source.path} is no task of any variant`)
    return owner
  }
  return { tasks, armFor: findVariant }
}
