/** How one request ended, if this says something about the health of the API. */
export interface RequestResult {
  /** Requests are numbered in the order of sending. */
  readonly requestNumber: number
  /** Identity of the document. */
  readonly document: object
  /** Length of the prompt: characters. */
  readonly promptCharacters: number
  readonly isFailure: boolean
}

/** The number of latest results that describe the current health of the API. */
const maxResults = 20
/** Failures are document-specific if they are less likely than this at the failure rate of others. */
const maxProbability = 0.005

/** Returns the latest results, including a new one. */
export function appendResult(
  results: readonly RequestResult[],
  result: RequestResult,
): readonly RequestResult[] {
  return [...results.slice(1 - maxResults), result]
}

/**
 * Returns the results of other documents that a failing document can be compared with.
 * @param afterRequest the last request that had been sent at the first failure; results of earlier requests
 * are too old
 */
export function findResultsOfOthers(
  results: readonly RequestResult[],
  document: object,
  afterRequest: number,
): readonly RequestResult[] {
  return results.filter((result) => result.document !== document && result.requestNumber > afterRequest)
}

/**
 * Whether a document fails for reasons that do not concern other documents: that many failures would be
 * unlikely at the failure rate of the others. If many others fail too, for example at a tight rate limit,
 * this takes more failures. If all others fail, the answer is always false.
 * @param failures number of consecutive failures of this document
 */
export function isDocumentSpecificFailure(others: readonly RequestResult[], failures: number): boolean {
  const failed = others.filter(({ isFailure }) => isFailure).length
  // Laplace's rule of succession: a few results prove little.
  const failureRate = (failed + 1) / (others.length + 2)
  return failed < others.length && failureRate ** failures <= maxProbability
}

/** Whether a document is larger than all that got replies, which may use up the tokens that it needs. */
export function isLargest(others: readonly RequestResult[], promptCharacters: number): boolean {
  return others.every((other) => other.isFailure || other.promptCharacters < promptCharacters)
}
