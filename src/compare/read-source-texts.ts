import type { DocumentRef } from '../core/document/document.ts'
import { createDocumentReader, type ReadOptions } from '../inputs/read/read-document.ts'
import type { VariantsRun } from './run-variants.ts'

/** UTF-16 units of all documents: the page with their texts stays small enough to open. */
const maxTotalLength = 10_000_000

/**
 * Reads the texts of compared documents again, for a page that shows them next to their summaries. Leaves out
 * stdin, scans, documents that changed since they were summarized, and what exceeds a total size.
 * @returns the texts by document path
 */
export async function readSourceTexts(
  sources: readonly DocumentRef[],
  variants: VariantsRun['variants'],
  readOptions: ReadOptions,
): Promise<ReadonlyMap<string, string>> {
  const read = createDocumentReader(readOptions)
  const texts = new Map<string, string>()
  let rest = maxTotalLength
  for (const source of sources) {
    const { path } = source
    const hashes = variants.flatMap(({ results }) => results.get(path)?.entry.sha256 ?? [])
    if (path === '-' || hashes.length === 0) continue
    const document = await read(source).catch(() => undefined)
    if (document === undefined || 'action' in document) continue
    const { text, fingerprint } = document
    if (text === '' || text.length > rest || !hashes.every((hash) => hash === fingerprint.sha256)) continue
    texts.set(path, text)
    rest -= text.length
  }
  return texts
}
