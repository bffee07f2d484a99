import { hash } from 'node:crypto'
import { type DocumentRef, renumber } from '../core/document/document.ts'
import type { FolderOutput } from '../run/output.ts'
import type { ComparedVariant } from './variants.ts'

/**
 * Returns a sample of the documents. The choice depends only on their paths, so the next comparison has the
 * same sample.
 */
export function sampleByPath(sources: readonly DocumentRef[], count: number): readonly DocumentRef[] {
  if (count === 0 || count >= sources.length) return sources
  const hashPath = (path: string) => hash('sha256', path)
  const chosen = [...sources].sort((a, b) => (hashPath(a.path) < hashPath(b.path) ? -1 : 1)).slice(0, count)
  return renumber(chosen.sort((a, b) => a.index - b.index))
}

/**
 * Returns one task per document and variant that is pending. The variants of a document follow each other,
 * and a different variant is first for each document.
 */
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
    if (owner === undefined) throw new Error(`${source.path} is not a task of any variant`)
    return owner
  }
  return { tasks, armFor: findVariant }
}
