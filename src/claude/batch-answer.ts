import type { BatchAnswer, BatchResult, UnreadableResult } from '../core/batch/batch.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { Fault } from '../core/errors/request-error.ts'
import type { Reply } from '../core/request/reply.ts'
import { truncate } from '../core/text/truncate.ts'
import { parseErrorBody, statusOfType } from './error-body.ts'
import { replyFrom } from './read-message.ts'
import { fieldsIn, parseJson } from './wire-values.ts'

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
  const fields = parseJson(line)
  if (fields === undefined) {
    const why =
      line.length < longestLine
        ? 'the line of the results is not JSON'
        : `the line of the results is longer than ${longestLine} characters`
    // Its text cannot pass for an id: a quote within a JSON string is escaped.
    const id = /"custom_id"\s*:\s*"([A-Za-z0-9_-]{1,64})"/.exec(line.slice(0, longestKept))?.[1]
    return { id, result: unreadable(why) } as BatchAnswer
  }
  const { custom_id: id, result } = fieldsIn(fields)
  if (typeof id !== 'string')
    return { id: undefined, result: unreadable('the line of the results has no custom_id') }
  return { id, result: resultFrom(result) ?? unreadable('its result is not one that the API documents') }
}

/** Undefined where the result has no known shape. */
function resultFrom(result: unknown): BatchResult | undefined {
  const { type, message, error } = fieldsIn(result)
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
  try {
    return replyFrom(message, { headers: new Headers(), status: 200 })
  } catch (error) {
    if (error instanceof AskError) return undefined
    throw error
  }
}

/** Reads an error body as a live request has it, but for the status, which follows from its type. */
function faultIn(body: unknown): Fault {
  const { type = 'api_error', message = 'an error without a message', code, requestId } = parseErrorBody(body)
  return {
    kind: 'status',
    status: statusOfType(type) ?? 500,
    type,
    message,
    ...(code !== undefined && { code }),
    ...(requestId !== undefined && { requestId }),
  }
}
