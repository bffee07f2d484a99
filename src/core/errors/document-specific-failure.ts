/** How one request ended, where that says something about the service. */
export interface RequestResult {
  /** Requests are numbered in the order of sending. */
  readonly requestNumber: number
  /** Of which document. */
  readonly document: object
  /** Characters of its prompt. */
  readonly promptCharacters: number
  readonly isFailure: boolean
}

/** How many of the latest results count for how the service is doing now. */
const maxResults = 20
/** A document's failures are its own once they would be such bad luck, if it fared as the others do. */
const maxProbability = 0.005

/** The latest results, with one more. */
export function appendResult(
  results: readonly RequestResult[],
  result: RequestResult,
): readonly RequestResult[] {
  return [...results.slice(1 - maxResults), result]
}

/**
 * The results of others that tell about a document.
 * @param afterRequest the last request that had been sent when the document failed first: what came before tells nothing
 */
export function findResultsOfOthers(
  results: readonly RequestResult[],
  document: object,
  afterRequest: number,
): readonly RequestResult[] {
  return results.filter((it) => it.document !== document && it.requestNumber > afterRequest)
}

/**
 * Whether a document fails for reasons of its own. It does if it fails again and again while others are answered: if it
 * shared their chances, that many failures would be unlikely. While many fail, as under a limit that is too tight for all,
 * it takes more failures to tell; while nobody else is answered, it cannot be told.
 * @param failures of this document so far, one after the other
 */
export function isDocumentSpecificFailure(others: readonly RequestResult[], failures: number): boolean {
  const failed = others.filter((it) => it.isFailure).length
  // Laplace's rule of succession: a few results prove little.
  const failureRate = (failed + 1) / (others.length + 2)
  return failed < others.length && failureRate ** failures <= maxProbability
}

/** Whether a document is larger than all that were answered: under a limit of tokens, those may take what it needs. */
export function isLargest(others: readonly RequestResult[], promptCharacters: number): boolean {
  return others.every((it) => it.isFailure || it.promptCharacters < promptCharacters)
}
