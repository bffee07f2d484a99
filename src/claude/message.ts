import type { APIPromise } from '@anthropic-ai/sdk'
import { AskError } from '../core/failure.ts'
import { parseTerms } from '../core/price.ts'
import { rateLimits } from '../core/rate-limits.ts'
import type { Reply } from '../core/reply.ts'
import { parseUsage } from '../core/usage.ts'

/**
 * The reply of a plain request. A 200 is not believed before its shape is right: captive portals and proxies answer
 * 200 with a page, and the SDK hands that on as if it were a message.
 */
export async function messageReply(promise: APIPromise<unknown>): Promise<Reply> {
  const { data, response } = await promise.withResponse()
  // Without a content type that says JSON, the SDK hands on the text.
  return replyFrom(typeof data === 'string' ? parsed(data) : data, response)
}

/**
 * A count of tokens as a reply without a text.
 * @see https://platform.claude.com/docs/en/build-with-claude/token-counting
 */
export async function countReply(promise: APIPromise<unknown>, model: string): Promise<Reply> {
  const { data, response } = await promise.withResponse()
  const { input_tokens: input } = (data ?? {}) as Record<string, unknown>
  const usage = parseUsage({ input_tokens: input, output_tokens: 0 })
  if (usage === undefined) throw malformed(response, 'not a count of tokens')
  const limits = rateLimits((name) => response.headers.get(name))
  return { text: '', stopReason: null, model, usage, attempts: [], ...(limits !== undefined && { limits }) }
}

function malformed({ headers, status }: Pick<Response, 'headers' | 'status'>, what: string): AskError {
  const requestId = headers.get('request-id')
  return new AskError({
    kind: 'malformed',
    status,
    type: 'malformed_reply',
    message: `${what} (${headers.get('content-type') ?? 'no content type'})`,
    ...(requestId !== null && { requestId }),
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** Turns a message of the API, whole or put together from a stream, into a reply. */
export function replyFrom(message: unknown, response: Pick<Response, 'headers' | 'status'>): Reply {
  const fields = (typeof message === 'object' ? message : null) as Record<string, unknown> | null
  const header = (name: string) => response.headers.get(name)
  const requestId = header('request-id') ?? undefined
  if (fields?.['type'] !== 'message' || !Array.isArray(fields['content']))
    throw malformed(response, 'not an answer of the Messages API')
  const usage = parseUsage(fields['usage'])
  const limits = rateLimits(header)
  const stopDetail = refusalDetail(fields['stop_details'])
  return {
    text: textOf(fields['content']),
    stopReason: typeof fields['stop_reason'] === 'string' ? fields['stop_reason'] : null,
    model: typeof fields['model'] === 'string' ? fields['model'] : 'unknown',
    attempts: [],
    ...(stopDetail !== undefined && { stopDetail }),
    ...(usage !== undefined && { usage, terms: parseTerms(fields['usage']) }),
    ...(limits !== undefined && { limits }),
    ...(requestId !== undefined && { requestId }),
  }
}

/** They would not survive as UTF-8. */
export const loneSurrogates = /\p{Cs}/gu

/** Blocks of other kinds (thinking, and whatever comes) are passed over. */
function textOf(content: readonly unknown[]): string {
  return content
    .map((block) => block as { type?: unknown; text?: unknown } | null)
    .filter((block) => block?.type === 'text' && typeof block.text === 'string')
    .map((block) => block?.text)
    .join('')
    .replace(loneSurrogates, '\ufffd')
}

function refusalDetail(details: unknown): string | undefined {
  const { category, explanation } = (details ?? {}) as Record<string, unknown>
  const parts = [category, explanation].filter((part) => typeof part === 'string' && part !== '')
  return parts.length === 0 ? undefined : parts.join(': ')
}
