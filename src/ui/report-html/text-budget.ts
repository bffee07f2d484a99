import { truncate } from '../../core/text/truncate.ts'
import { stringifyForScript } from './html-template.ts'

/** The size of all rows and texts of the table of documents: bytes. Larger pages open slowly and cannot be mailed. */
export const maxDataBytes = 18_000_000

/** Shorter beginnings of texts would be useless: bytes. */
const minTextBytes = 40

/**
 * Returns how long each text may be, so that all of them fit into a budget. Texts that are shorter stay whole.
 * @param sizes of the texts: bytes
 * @returns bytes; infinite if all texts fit, 0 if there is no room for useful beginnings
 */
export function computeTextLimit(sizes: readonly number[], budgetBytes: number): number {
  const sorted = Float64Array.from(sizes).sort()
  let rest = budgetBytes
  for (const [n, size] of sorted.entries()) {
    const equalShare = rest / (sorted.length - n)
    if (size > equalShare) return equalShare < minTextBytes ? 0 : Math.floor(equalShare)
    rest -= size
  }
  return Number.POSITIVE_INFINITY
}

/** Returns a text, or its beginning and an ellipsis; undefined if nothing of it fits. @param maxBytes as JSON */
export function shortenText(text: string, maxBytes: number): string | undefined {
  if (maxBytes === 0) return undefined
  const bytes = countJsonBytes(text)
  if (bytes <= maxBytes) return text
  let length = Math.floor((text.length * maxBytes) / bytes)
  const cut = () => `${truncate(text, length)} …`
  while (length > 0 && countJsonBytes(cut()) > maxBytes) length = Math.floor(length * 0.8)
  return cut()
}

/** Counts the bytes of a value as JSON in the page. */
export function countJsonBytes(value: unknown): number {
  return Buffer.byteLength(stringifyForScript(value))
}
