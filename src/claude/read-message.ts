import { APIError } from '@anthropic-ai/sdk'
import type { ReportedCitation } from '../core/citations/citation.ts'
import { AskError } from '../core/errors/ask-error.ts'
import { parseBillingTerms } from '../core/pricing/pricing-rules.ts'
import { parseUsage } from '../core/pricing/usage.ts'
import { parseRateLimits } from '../core/rate-limit/parse-rate-limits.ts'
import type { Reply } from '../core/request/reply.ts'
import { findStatusForType, parseErrorBody } from './error-body.ts'
import { readCitations } from './read-citations.ts'
import type { PendingResponse } from './sdk-client.ts'
import { parseJson, readRequestId, toFields, toNonEmptyText } from './wire-values.ts'

/** The parts of a response that its parser needs besides the body. */
export type ResponseHead = Pick<Response, 'headers' | 'status'>

/**
 * Reads the body of a 2xx response as JSON, regardless of its content type.
 * @returns undefined if it is not JSON
 * @throws APIError if the body is an error of the API: a gateway may send one with any status
 */
export async function readJsonBody(response: Response): Promise<unknown> {
  const body = parseJson(await response.text())
  rejectErrorBody(body, response)
  return body
}

/** @throws APIError if a body is an API error of a known type */
function rejectErrorBody(body: unknown, { headers, status }: ResponseHead): void {
  const { isFromApi, type } = parseErrorBody(body)
  if (isFromApi && findStatusForType(type) !== undefined)
    throw APIError.generate(status, body as object, undefined, headers)
}

/**
 * Reads the reply to a plain request. Checks the shape of a 200, because captive portals and proxies answer
 * 200 with a page.
 */
export async function readMessageReply(promise: PendingResponse): Promise<Reply> {
  const response = await promise.asResponse()
  return parseReply(await readJsonBody(response), response)
}

/**
 * Reads a token count, as a reply without text.
 * @see https://platform.claude.com/docs/en/build-with-claude/token-counting
 */
export async function readTokenCount(promise: PendingResponse, model: string): Promise<Reply> {
  const response = await promise.asResponse()
  const { input_tokens: input } = toFields(await readJsonBody(response))
  const usage = parseUsage({ input_tokens: input, output_tokens: 0 })
  if (usage === undefined) throw malformedReplyError(response, 'not a count of tokens')
  const limits = parseRateLimits((name) => response.headers.get(name))
  const serverTimeMs = Date.parse(response.headers.get('date') ?? '')
  return {
    text: '',
    stopReason: null,
    model,
    usage,
    attempts: [],
    ...(limits !== undefined && { limits }),
    ...(!Number.isNaN(serverTimeMs) && { serverTimeMs }),
  }
}

/**
 * Creates the error for a response that does not match the API's documentation. It is transient, because such
 * a response often comes from a proxy in front of the API.
 */
export function malformedReplyError(
  { headers, status }: ResponseHead,
  problem: string,
  type = 'malformed_reply',
): AskError {
  const requestId = readRequestId((name) => headers.get(name))
  const contentType = headers.get('content-type') ?? 'no content type'
  const isPage = contentType.includes('html')
  return new AskError({
    kind: 'malformed',
    status,
    type,
    message: `${problem} (${contentType})${isPage ? '; a proxy, a firewall or a sign-in page answered in its place' : ''}`,
    ...(requestId !== undefined && { requestId }),
  })
}

/**
 * Parses a message of the API, plain or assembled from a stream.
 * @throws AskError `malformed` if it is not a message, or if part of its text is unreadable
 */
export function parseReply(message: unknown, response: ResponseHead): Reply {
  const fields = toFields(message)
  const header = (name: string) => response.headers.get(name)
  const requestId = readRequestId(header)
  const content = fields['content']
  if (fields['type'] !== 'message' || !Array.isArray(content))
    throw malformedReplyError(response, 'not an answer of the Messages API')
  // Without this check, an incomplete text would be accepted as the summary.
  if (!content.every(isReadableBlock))
    throw malformedReplyError(response, 'a content block of the answer is unreadable')
  const usage = parseUsage(fields['usage'])
  const limits = parseRateLimits(header)
  const stopDetail = formatRefusalDetail(fields['stop_details'])
  const { text, citations } = joinBlocks(content)
  return {
    text,
    ...(citations.length > 0 && { citations }),
    stopReason: toNonEmptyText(fields['stop_reason']) ?? null,
    model: toNonEmptyText(fields['model']) ?? 'unknown',
    attempts: [],
    ...(stopDetail !== undefined && { stopDetail }),
    ...(usage !== undefined && { usage, terms: parseBillingTerms(fields['usage']) }),
    ...(limits !== undefined && { limits }),
    ...(requestId !== undefined && { requestId }),
  }
}

/** Lone surrogates cannot be encoded as UTF-8. */
export const loneSurrogates = /\p{Cs}/gu

function isReadableBlock(block: unknown): boolean {
  const { type, text } = toFields(block)
  return typeof type === 'string' && (type !== 'text' || typeof text === 'string')
}

/**
 * Joins the text blocks, with the citations of each, which support its words without the white space around them. Other
 * blocks, such as thinking, are skipped.
 */
function joinBlocks(content: readonly unknown[]): Required<Pick<Reply, 'text' | 'citations'>> {
  const citations: ReportedCitation[] = []
  let joined = ''
  for (const { type, text, citations: reported } of content.map(toFields)) {
    if (type !== 'text') continue
    const block = text as string
    const words = block.trim()
    const start = joined.length + block.indexOf(words)
    joined += block
    if (words !== '') citations.push(...readCitations(reported, { start, end: start + words.length }))
  }
  return { text: joined.replace(loneSurrogates, '\ufffd'), citations }
}

function formatRefusalDetail(details: unknown): string | undefined {
  const { category, explanation } = toFields(details)
  const parts = [toNonEmptyText(category), toNonEmptyText(explanation)].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(': ')
}
