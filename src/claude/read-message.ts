import { APIError, type APIPromise } from '@anthropic-ai/sdk'
import { AskError } from '../core/errors/ask-error.ts'
import { parseBillingTerms } from '../core/pricing/pricing-rules.ts'
import { parseUsage } from '../core/pricing/usage.ts'
import { parseRateLimits } from '../core/rate-limit/parse-rate-limits.ts'
import type { Reply } from '../core/request/reply.ts'
import { findStatusForType, parseErrorBody } from './error-body.ts'
import { parseJson, toFields, toNonEmptyText } from './wire-values.ts'

/** What reading a response needs of it. */
export type ResponseHead = Pick<Response, 'headers' | 'status'>

/**
 * Reads the body of a response with a 2xx status as JSON, whatever its content type says.
 * @returns undefined where it is not JSON
 * @throws APIError where the body is an error of the API: a gateway may send one with any status
 */
export async function readJsonBody(response: Response): Promise<unknown> {
  const body = parseJson(await response.text())
  rejectErrorBody(body, response)
  return body
}

/** @throws APIError where a body is an error of the API with a type that is known */
function rejectErrorBody(body: unknown, { headers, status }: ResponseHead): void {
  const { isFromApi, type } = parseErrorBody(body)
  if (isFromApi && findStatusForType(type) !== undefined)
    throw APIError.generate(status, body as object, undefined, headers)
}

/**
 * The reply of a plain request. A 200 is not believed before its shape is right: captive portals and proxies answer
 * 200 with a page.
 */
export async function readMessageReply(promise: APIPromise<unknown>): Promise<Reply> {
  const response = await promise.asResponse()
  return parseReply(await readJsonBody(response), response)
}

/**
 * A count of tokens as a reply without a text.
 * @see https://platform.claude.com/docs/en/build-with-claude/token-counting
 */
export async function readTokenCount(promise: APIPromise<unknown>, model: string): Promise<Reply> {
  const response = await promise.asResponse()
  const { input_tokens: input } = toFields(await readJsonBody(response))
  const usage = parseUsage({ input_tokens: input, output_tokens: 0 })
  if (usage === undefined) throw malformedReplyError(response, 'not a count of tokens')
  const limits = parseRateLimits((name) => response.headers.get(name))
  return { text: '', stopReason: null, model, usage, attempts: [], ...(limits !== undefined && { limits }) }
}

/** The error of a response that is not what the API documents. It may pass: a page in front of the API often does. */
export function malformedReplyError(
  { headers, status }: ResponseHead,
  problem: string,
  type = 'malformed_reply',
): AskError {
  const requestId = headers.get('request-id')
  const contentType = headers.get('content-type') ?? 'no content type'
  const isPage = contentType.includes('html')
  return new AskError({
    kind: 'malformed',
    status,
    type,
    message: `${problem} (${contentType})${isPage ? '; a proxy, a firewall or a sign-in page answered in its place' : ''}`,
    ...(requestId !== null && { requestId }),
  })
}

/**
 * Turns a message of the API, whole or put together from a stream, into a reply.
 * @throws AskError `malformed` where it is not a message, or where a part of its text cannot be read
 */
export function parseReply(message: unknown, response: ResponseHead): Reply {
  const fields = toFields(message)
  const header = (name: string) => response.headers.get(name)
  const requestId = header('request-id') ?? undefined
  const content = fields['content']
  if (fields['type'] !== 'message' || !Array.isArray(content))
    throw malformedReplyError(response, 'not an answer of the Messages API')
  // Leaving such a block out would pass the rest for the whole summary.
  if (!content.every(isReadableBlock))
    throw malformedReplyError(response, 'a content block of the answer is unreadable')
  const usage = parseUsage(fields['usage'])
  const limits = parseRateLimits(header)
  const stopDetail = formatRefusalDetail(fields['stop_details'])
  return {
    text: joinText(content),
    stopReason: toNonEmptyText(fields['stop_reason']) ?? null,
    model: toNonEmptyText(fields['model']) ?? 'unknown',
    attempts: [],
    ...(stopDetail !== undefined && { stopDetail }),
    ...(usage !== undefined && { usage, terms: parseBillingTerms(fields['usage']) }),
    ...(limits !== undefined && { limits }),
    ...(requestId !== undefined && { requestId }),
  }
}

/** They would not survive as UTF-8. */
export const loneSurrogates = /\p{Cs}/gu

function isReadableBlock(block: unknown): boolean {
  const { type, text } = toFields(block)
  return typeof type === 'string' && (type !== 'text' || typeof text === 'string')
}

/** Blocks of other kinds (thinking, and whatever comes) are passed over. */
function joinText(content: readonly unknown[]): string {
  return content
    .map(toFields)
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .join('')
    .replace(loneSurrogates, '\ufffd')
}

function formatRefusalDetail(details: unknown): string | undefined {
  const { category, explanation } = toFields(details)
  const parts = [toNonEmptyText(category), toNonEmptyText(explanation)].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(': ')
}
