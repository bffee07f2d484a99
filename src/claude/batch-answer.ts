import type { BatchAnswer, BatchResult, UnreadableResult } from '../core/batch.ts'
import { AskError, type Fault } from '../core/failure.ts'
import type { Reply } from '../core/reply.ts'
import { truncate } from '../core/truncate.ts'
import { replyFrom } from './message.ts'

/** Far longer than any answer, which is a summary: characters. Lines are cut there. */
export const longestLine = 16_000_000

/** How much of an unreadable line is kept, for the error record: characters. */
const longestKept = 100_000

/**
 * Reads one line of a batch's results. Never throws: whatever is wrong with a line concerns its own request alone.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function batchAnswerFrom(line: string): BatchAnswer {
  const unreadable = (why: string): UnreadableResult => ({
    unreadable: why,
    line: truncate(line, longestKept),
  })
  let fields: unknown
  try {
    fields = JSON.parse(line)
  } catch {
    const why =
      line.length < longestLine
        ? 'the line of the results is not JSON'
        : `the line of the results is longer than ${longestLine} characters`
    // Its text cannot pass for an id: a quote within a JSON string is escaped.
    const id = /"custom_id"\s*:\s*"([A-Za-z0-9_-]{1,64})"/.exec(line.slice(0, longestKept))?.[1]
    return { id, result: unreadable(why) } as BatchAnswer
  }
  const { custom_id: id, result } = (fields ?? {}) as Record<string, unknown>
  if (typeof id !== 'string')
    return { id: undefined, result: unreadable('the line of the results has no custom_id') }
  return { id, result: resultFrom(result) ?? unreadable('its result is not one that the API documents') }
}

/** Undefined where the result has no known shape. */
function resultFrom(result: unknown): BatchResult | undefined {
  const { type, message, error } = (result ?? {}) as Record<string, unknown>
  switch (type) {
    case 'canceled':
    case 'expired':
      return type
    case 'errored':
      return { fault: faultIn(error) }
    case 'succeeded': {
      const reply = replyIn(message)
      return reply && { reply: { ...reply, terms: { ...reply.terms, batch: true } } }
    }
    default:
      return undefined
  }
}

function replyIn(message: unknown): Reply | undefined {
  const { content } = (message ?? {}) as Record<string, unknown>
  // Leaving such a block out would pass the rest for the whole summary.
  if (Array.isArray(content) && !content.every(isReadableBlock)) return undefined
  try {
    return replyFrom(message, { headers: new Headers(), status: 200 })
  } catch (error) {
    if (error instanceof AskError) return undefined
    throw error
  }
}

function isReadableBlock(block: unknown): boolean {
  if (typeof block !== 'object' || block === null) return false
  const { type, text } = block as Record<string, unknown>
  return typeof type === 'string' && (type !== 'text' || typeof text === 'string')
}

/** Reads an error body as a live request has it, but for the status, which follows from its type. */
function faultIn(body: unknown): Fault {
  const { error, request_id: requestId } = (body ?? {}) as Record<string, unknown>
  const { type: given, message, details } = (error ?? {}) as Record<string, unknown>
  const { error_code: code } = (details ?? {}) as Record<string, unknown>
  const type = typeof given === 'string' ? given : 'api_error'
  return {
    kind: 'status',
    status: statusOf.get(type) ?? 500,
    type,
    message: typeof message === 'string' ? message : 'an error without a message',
    ...(typeof code === 'string' && { code }),
    ...(typeof requestId === 'string' && { requestId }),
  }
}

/** @see https://platform.claude.com/docs/en/api/errors */
const statusOf: ReadonlyMap<string, number> = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
])
