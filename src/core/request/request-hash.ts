import { hash } from 'node:crypto'
import type { Document } from '../document/document.ts'
import type { Upload } from '../document/upload.ts'
import type { ProviderName } from './providers.ts'
import type { Request } from './request.ts'

type RequestContent = Omit<Request, 'hash' | 'path' | 'attemptNumber'>

/**
 * Returns the request hash (`request_hash` in the ledger): a SHA-256 of everything that shapes the reply, as
 * 64 hexadecimal digits. Sending two requests with the same hash would mean paying twice for the same reply.
 */
export function hashRequest(
  { model, maxTokens, effort, thinking, system, user, citable, schema, upload }: RequestContent,
  provider: ProviderName,
): string {
  const parts = [provider, model, maxTokens, effort ?? null, thinking ?? null, system ?? null, user]
  const cited = citable && ['citations', citable.blocks ?? citable.text ?? null, citable.offset]
  const optionalParts = [schema, upload && hashUpload(upload), cited]
  return hashJson([...parts, ...optionalParts.filter((part) => part !== undefined)])
}

/** The type of an image follows from its bytes. */
function hashUpload(upload: Upload): string {
  if (upload.type === 'pdf') return hash('sha256', upload.base64)
  return hashJson(upload.images.map(({ base64 }) => hash('sha256', base64)))
}

/**
 * Samples for the settings hash. They differ in everything that a prompt can use of a document. No
 * placeholder has the same value in two of them, so a placeholder and a literal text always give different
 * requests.
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
    upload: { type: 'pdf', base64: 'JVBERi0=', pages: 1 },
  },
]

/**
 * Returns the settings hash of a run: a hash of everything that shapes replies, except the document. If this
 * hash and the size and time of a document are unchanged, its request hash is unchanged too and need not be
 * computed again.
 *
 * The settings hash is computed from the request hashes of {@link sampleDocuments}, so both always cover the
 * same settings.
 * @param buildRequest builds the request for a document
 * @param otherInputs other settings that shape replies: how documents are read and cut into chunks
 */
export function hashSettings(
  buildRequest: (document: Document) => Pick<Request, 'hash'>,
  otherInputs: readonly unknown[] = [],
): string {
  return hashJson([sampleDocuments.map((sample) => buildRequest(sample).hash), otherInputs]).slice(0, 16)
}

/** Returns the settings hash of documents that a command reads. @param settingsHash of other documents */
export function hashConvertedSettings(settingsHash: string, command: string): string {
  return hashJson([settingsHash, command]).slice(0, 16)
}

function createEmptyFingerprint(): Document['fingerprint'] {
  return { size: 0, sha256: '' }
}

/** Returns the SHA-256 of the values as JSON: 64 hexadecimal digits. */
export function hashJson(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts))
}
