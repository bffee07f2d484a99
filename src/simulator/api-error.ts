import type { ServerResponse } from 'node:http'

/** An error response of the API. */
export interface ApiError {
  readonly status: number
  readonly message?: string
  /** Default: the type that the API uses for the status. */
  readonly type?: string
  /** The value of `error.details.error_code`. */
  readonly code?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Replaces the API's error body, like a proxy's page. */
  readonly body?: string
}

/** @see https://platform.claude.com/docs/en/api/errors */
export function sendError(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  error: ApiError,
): void {
  const { status, code } = error
  const type = findErrorType(error)
  const message = error.message ?? `simulated ${status}`
  const details = code !== undefined && { details: { error_code: code } }
  const body = { type: 'error', error: { type, message, ...details }, request_id: headers['request-id'] }
  response.writeHead(status, { ...headers, 'content-type': 'application/json', ...error.headers })
  response.end(error.body ?? JSON.stringify(body))
}

/** Returns the error's type, or else the type of its status. */
export function findErrorType({ type, status }: ApiError): string {
  return type ?? typeByStatus.get(status) ?? 'api_error'
}

const typeByStatus: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
])

/** Returns the error of an invalid request. */
export function invalidRequestError(message: string): ApiError {
  return { status: 400, message }
}
