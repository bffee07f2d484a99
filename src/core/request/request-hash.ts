import { hash } from 'node:crypto'
import type { Document } from '../document/document.ts'
import type { Request } from './request.ts'

type Asked = Omit<Request, 'key' | 'path' | 'attempt'>

/**
 * The request hash (`key` in the ledger): a SHA-256, 64 hexadecimal digits, of everything that shapes the answer. Two
 * requests with the same hash would be billed twice for the same question.
 */
export function keyOf(
  { model, maxTokens, effort, thinking, system, user, schema, pdf }: Asked,
  endpoint: string,
): string {
  const parts = [endpoint, model, maxTokens, effort ?? null, thinking ?? null, system ?? null, user]
  const more = [schema, pdf === undefined ? undefined : hash('sha256', pdf.base64)]
  return digest([...parts, ...more.filter((part) => part !== undefined)])
}

/**
 * Documents that stand for all others: between them, whatever a prompt does with a document shows. No slot has the same
 * value in both texts, so that a slot and a literal text always make different requests.
 */
export const sampleDocuments: readonly Document[] = [
  {
    source: { index: 0, path: 'sample/one.md', named: true },
    text: '# First\n\nA text.\n',
    bytes: nothing(),
  },
  {
    source: { index: 1, path: 'example/2.txt', named: true },
    text: 'Second\n\nAnother.\n',
    bytes: nothing(),
  },
  {
    source: { index: 2, path: 'third/scan.pdf', named: true },
    text: 'Attached.',
    bytes: nothing(),
    pdf: { base64: 'JVBERi0=', pages: 1 },
  },
]

/**
 * The settings hash of a run (`recipe` in the ledger): a hash of everything but the document that shapes its answer. A
 * document whose size and time are as they were, under the same settings hash, has the same request hash, which need not
 * be worked out again.
 *
 * It is made of the request hashes of {@link sampleDocuments}. So nothing can be in the one hash and not in the other.
 * @param requestFor makes the request for a document
 * @param others what else shapes answers: how documents are read, and how they are cut into chunks
 */
export function settingsHash(
  requestFor: (document: Document) => Pick<Request, 'key'>,
  others: readonly unknown[] = [],
): string {
  return digest([sampleDocuments.map((sample) => requestFor(sample).key), others]).slice(0, 16)
}

function nothing(): Document['bytes'] {
  return { size: 0, sha256: '' }
}

/** A hash of what it is given: 64 hexadecimal digits. */
export function digest(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts))
}
