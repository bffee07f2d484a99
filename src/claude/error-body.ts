import { parsePlatformErrorBody } from './platform-error-body.ts'
import { type Fields, type GetHeader, toFields, toNonEmptyText } from './wire-values.ts'

/** The fields of an error response's body that have the types in the API's documentation. */
export interface ErrorBody {
  /** The body was written by the API itself, not by a proxy or gateway in front of it. */
  readonly isFromApi: boolean
  readonly type?: string
  readonly message?: string
  readonly code?: string
  readonly requestId?: string
}

/**
 * Parses an error body of a response, a stream event or a batch item. A field with an undocumented type
 * counts as missing.
 * @param header returns a response header
 * @see https://platform.claude.com/docs/en/api/errors
 */
export function parseErrorBody(body: unknown, header: GetHeader = () => null): ErrorBody {
  return parsePlatformErrorBody(body, header) ?? parseApiErrorBody(toFields(body))
}

function parseApiErrorBody(fields: Fields): ErrorBody {
  const error = toFields(fields['error'])
  const type = toNonEmptyText(error['type'])
  const message = toNonEmptyText(error['message'])
  const code = toNonEmptyText(toFields(error['details'])['error_code'])
  const requestId = toNonEmptyText(fields['request_id'])
  return {
    isFromApi: fields['type'] === 'error' && type !== undefined,
    // The stream of Amazon Bedrock begins its names with a small letter, its responses with a capital.
    ...(type !== undefined && { type: type.replace(/^[a-z]\w+Exception$/, capitalize) }),
    ...(message !== undefined && { message }),
    ...(code !== undefined && { code }),
    ...(requestId !== undefined && { requestId }),
  }
}

function capitalize(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/**
 * Returns the HTTP status that the API sends with an error type, or undefined for an unknown type. It
 * replaces a status that is missing (in a batch item) or misleading (a gateway's 200).
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
