import { toFields, toNonEmptyText } from './wire-values.ts'

/** The body of an error response, as far as its fields have the types that the API documents. */
export interface ErrorBody {
  /** It is an error body of the API itself, not a page or the JSON of something in front of it. */
  readonly isFromApi: boolean
  readonly type?: string
  readonly message?: string
  readonly code?: string
  readonly requestId?: string
}

/**
 * Reads an error body: of a response, of an event in a stream, or of a batch item. A field of another type than the
 * API documents counts as missing.
 * @see https://platform.claude.com/docs/en/api/errors
 */
export function parseErrorBody(body: unknown): ErrorBody {
  const fields = toFields(body)
  const error = toFields(fields['error'])
  const type = toNonEmptyText(error['type'])
  const message = toNonEmptyText(error['message'])
  const code = toNonEmptyText(toFields(error['details'])['error_code'])
  const requestId = toNonEmptyText(fields['request_id'])
  return {
    isFromApi: fields['type'] === 'error' && type !== undefined,
    ...(type !== undefined && { type }),
    ...(message !== undefined && { message }),
    ...(code !== undefined && { code }),
    ...(requestId !== undefined && { requestId }),
  }
}

/**
 * Returns the status that the API sends with an error type; undefined for a type that is not known. It stands in for
 * the status where that says nothing: in a batch item, or in a 200 of a gateway.
 */
export function findStatusForType(type: string | undefined): number | undefined {
  return type === undefined ? undefined : statusByType.get(type)
}

/** @see https://platform.claude.com/docs/en/api/errors */
const statusByType: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['conflict_error', 409],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])
