/** The beginnings of what a run records as its limit (`describeBottleneck`), with a sentence for each. */
const explanations: readonly (readonly [RegExp, string])[] = [
  [
    /^API latency$/,
    'the API needs this long to write its answers, and the rate limits and the concurrency limit left room.',
  ],
  [/^the concurrency limit of /, 'no more requests may be in flight at the same time.'],
  [/ per minute, /, 'no more is allowed, by the API or by your own setting.'],
  [/^batch processing time$/, 'the API processes batches when it has room for them.'],
]

/**
 * Returns a sentence about what kept a run from going faster, for readers who do not know the program.
 * @param limitedBy as recorded: `API latency`, `400 requests per minute, 98 % used`
 */
export function explainBottleneck(limitedBy: string): string {
  const explanation = explanations.find(([pattern]) => pattern.test(limitedBy))?.[1]
  return explanation === undefined ? `Limited by: ${limitedBy}.` : `Limited by ${limitedBy}: ${explanation}`
}
