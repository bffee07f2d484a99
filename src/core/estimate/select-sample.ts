import { hash } from 'node:crypto'

/** A document that may be of a sample. */
interface SizedDocument {
  readonly path: string
  readonly size: number
}

/**
 * So many of all sizes: of each of as many classes of documents of like size, one. Which one is decided by the paths
 * alone, so that the next sample of the same documents is the same one.
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
