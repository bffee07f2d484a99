/** The fields of a JSON object from an untrusted source. */
export type Fields = Readonly<Record<string, unknown>>

/**
 * Returns the fields of a JSON object, or no fields for any other value: an answer may contain anything
 * anywhere.
 */
export function toFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

/** Returns a value if it is a non-empty string, or else undefined. */
export function toNonEmptyText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Returns the parsed JSON value, or undefined if the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Returns a header of a response, or null. */
export type GetHeader = (name: string) => string | null

/**
 * Returns the id of a request for the support of its provider: Anthropic's, or that of Amazon Bedrock or Azure.
 */
export function readRequestId(header: GetHeader): string | undefined {
  return header('request-id') ?? header('x-amzn-requestid') ?? header('apim-request-id') ?? undefined
}
