import { hash } from 'node:crypto'

/** A document that a sample may contain. */
interface SizedDocument {
  readonly path: string
  readonly size: number
}

/**
 * Returns a sample of documents of all sizes. The documents are divided into `count` groups of similar size,
 * and one is taken from each. A hash of the paths decides which one, so that the sample of the same documents
 * is always the same.
 */
export function selectSample<Item extends SizedDocument>(items: readonly Item[], count: number): Item[] {
  if (count >= items.length) return [...items]
  const hashPath = (path: string) => hash('sha256', `sample ${path}`)
  const bySize = [...items].sort((a, b) => a.size - b.size || (a.path < b.path ? -1 : 1))
  return Array.from({ length: count }, (_, n) => {
    const from = Math.floor((n * items.length) / count)
    const peers = bySize.slice(from, Math.floor(((n + 1) * items.length) / count))
    return peers.reduce((first, peer) => (hashPath(peer.path) < hashPath(first.path) ? peer : first))
  })
}
