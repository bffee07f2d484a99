import { type Fields, type GetHeader, toFields, toNonEmptyText } from './wire-values.ts'

/** The fields of an error of a cloud platform, which answers in place of Anthropic's API. */
interface PlatformErrorBody {
  readonly isFromApi: true
  readonly type?: string
  readonly message?: string
}

/**
 * Parses an error body of a cloud platform, which has another shape than one of Anthropic's API. Errors of the
 * model itself pass through the platforms unchanged.
 * - AWS: `{"message"}`, with the name of the error in the header `x-amzn-errortype` or the field `__type`.
 * - Google Cloud: `{"error": {"code": 429, "message", "status": "RESOURCE_EXHAUSTED"}}`, perhaps in a list.
 * - Azure: `{"error": {"code": "DeploymentNotFound", "message"}}`, or `{"statusCode": 401, "message"}`.
 * @param header returns a response header
 * @returns undefined for every other body
 */
export function parsePlatformErrorBody(body: unknown, header: GetHeader): PlatformErrorBody | undefined {
  const fields = toFields(Array.isArray(body) ? body[0] : body)
  return parseAwsError(fields, header) ?? parseGoogleError(fields) ?? parseAzureError(fields, header)
}

function parseAwsError(fields: Fields, header: GetHeader): PlatformErrorBody | undefined {
  const name = header('x-amzn-errortype') ?? toNonEmptyText(fields['__type'])
  // `com.amazon.coral.service#Name` or `Name:http://internal.amazon.com/…`
  const type = name === undefined ? undefined : /^(?:[^:#]*#)?(\w+)/.exec(name)?.[1]
  if (type === undefined) return undefined
  const message = toNonEmptyText(fields['message'] ?? fields['Message'])
  return { isFromApi: true, type, ...(message !== undefined && { message }) }
}

function parseGoogleError(fields: Fields): PlatformErrorBody | undefined {
  const { code, status, message } = toFields(fields['error'])
  if (typeof code !== 'number' || typeof status !== 'string' || !/^[A-Z_]+$/.test(status)) return undefined
  return createErrorBody(status, message)
}

function parseAzureError(fields: Fields, header: GetHeader): PlatformErrorBody | undefined {
  if (typeof fields['statusCode'] === 'number') return createErrorBody(undefined, fields['message'])
  const { code, type, message } = toFields(fields['error'])
  // Gateways answer in the same shape, with a type; only Azure sends the header.
  if (typeof code !== 'string' || (type !== undefined && header('apim-request-id') === null)) return undefined
  // A code such as "401" says no more than the status.
  return createErrorBody(/^\d*$/.test(code) ? undefined : code, message)
}

function createErrorBody(type: string | undefined, rawMessage: unknown): PlatformErrorBody | undefined {
  const message = toNonEmptyText(rawMessage)
  return message === undefined ? undefined : { isFromApi: true, message, ...(type !== undefined && { type }) }
}
