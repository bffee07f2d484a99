import { hash } from 'node:crypto'
import type { Document } from '../document/document.ts'
import type { Request } from './request.ts'

type RequestContent = Omit<Request, 'hash' | 'path' | 'attemptNumber'>

/** Who answers: the API (under any base URL: a gateway's new address changes no answer) or the simulator. */
export type ProviderName = 'anthropic' | 'simulator'

/**
 * The request hash (`key` in the ledger): a SHA-256, 64 hexadecimal digits, of everything that shapes the answer. Two
 * requests with the same hash would be billed twice for the same question.
 */
export function hashRequest(
  { model, maxTokens, effort, thinking, system, user, schema, pdf }: RequestContent,
  provider: ProviderName,
): string {
  const parts = [provider, model, maxTokens, effort ?? null, thinking ?? null, system ?? null, user]
  const optionalParts = [schema, pdf === undefined ? undefined : hash('sha256', pdf.base64)]
  return hashJson([...parts, ...optionalParts.filter((part) => part !== undefined)])
}

/**
 * Documents that stand for all others: between them, whatever a prompt does with a document shows. No placeholder has the
 * same value in both texts, so a placeholder and a literal text always make different requests.
 */
export const sampleDocuments: readonly Document[] = [
  {
    ref: { index: 0, path: 'sample/one.md', namedByUser: true },
    text: '# First\n\nA text.\n',
    fingerprint: createEmptyFingerprint(),
  },
  {
    ref: { index: 1, path: 'example/2.txt', namedByUser: true },
    text: 'Second\n\nAnother.\n',
    fingerprint: createEmptyFingerprint(),
  },
  {
    ref: { index: 2, path: 'third/scan.pdf', namedByUser: true },
    text: 'Attached.',
    fingerprint: createEmptyFingerprint(),
    pdf: { base64: 'JVBERi0=', pages: 1 },
  },
]

/**
 * The settings hash of a run: a hash of everything but the document that shapes its answer. A
 * document whose size and time are as they were, under the same settings hash, has the same request hash, which need not
 * be worked out again.
 *
 * It is made of the request hashes of {@link sampleDocuments}. So nothing can be in the one hash and not in the other.
 * @param buildRequest makes the request for a document
 * @param otherInputs what else shapes answers: how documents are read, and how they are cut into chunks
 */
export function hashSettings(
  buildRequest: (document: Document) => Pick<Request, 'hash'>,
  otherInputs: readonly unknown[] = [],
): string {
  return hashJson([sampleDocuments.map((sample) => buildRequest(sample).hash), otherInputs]).slice(0, 16)
}

function createEmptyFingerprint(): Document['fingerprint'] {
  return { size: 0, sha256: '' }
}

/** A hash of what it is given: 64 hexadecimal digits. */
export function hashJson(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts))
}
