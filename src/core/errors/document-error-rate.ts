/** How one request ended, where that says something about the service. */
export interface Result {
  /** Requests are numbered in the order of sending. */
  readonly number: number
  /** Of which document. */
  readonly document: object
  /** Characters of its prompt. */
  readonly size: number
  readonly failed: boolean
}

/** How many of the latest results count for how the service is doing now. */
const mostKept = 20
/** A document's failures are its own once they would be such bad luck, if it fared as the others do. */
const badLuck = 0.005

/** The latest results, with one more. */
export function withResult(results: readonly Result[], result: Result): readonly Result[] {
  return [...results.slice(1 - mostKept), result]
}

/**
 * The results of others that tell about a document.
 * @param since the last request that had been sent when the document failed first: what came before tells nothing
 */
export function resultsOfOthers(
  results: readonly Result[],
  document: object,
  since: number,
): readonly Result[] {
  return results.filter((it) => it.document !== document && it.number > since)
}

/**
 * Whether a document fails for reasons of its own. It does if it fails again and again while others are answered: if it
 * shared their chances, that many failures would be unlikely. While many fail, as under a limit that is too tight for all,
 * it takes more failures to tell; while nobody else is answered, it cannot be told.
 * @param failures of this document so far, one after the other
 */
export function isOwnTrouble(others: readonly Result[], failures: number): boolean {
  const failed = others.filter((it) => it.failed).length
  // Laplace's rule of succession: a few results prove little.
  const chance = (failed + 1) / (others.length + 2)
  return failed < others.length && chance ** failures <= badLuck
}

/** Whether a document is larger than all that were answered: under a limit of tokens, those may take what it needs. */
export function isLargest(others: readonly Result[], size: number): boolean {
  return others.every((it) => it.failed || it.size < size)
}
