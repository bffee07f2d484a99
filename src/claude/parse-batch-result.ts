import type { BatchResult, BatchResultLine, UnreadableResult } from '../core/batch/batch.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { RequestError } from '../core/errors/request-error.ts'
import type { Reply } from '../core/request/reply.ts'
import { truncate } from '../core/text/truncate.ts'
import { findStatusForType, parseErrorBody } from './error-body.ts'
import { parseReply } from './read-message.ts'
import { parseJson, toFields } from './wire-values.ts'

/** The maximum length of a line in characters, far longer than any summary. Longer lines are cut. */
export const maxLineChars = 16_000_000

/** How many characters of an unreadable line are kept for the error record. */
const maxKeptChars = 100_000

/**
 * Parses one line of a batch's results. Never throws: an error in a line concerns only its own request.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function parseBatchResultLine(line: string): BatchResultLine {
  const toUnreadable = (reason: string): UnreadableResult => ({
    unreadableReason: reason,
    line: truncate(line, maxKeptChars),
  })
  const fields = parseJson(line)
  if (fields === undefined) {
    const reason =
      line.length < maxLineChars
        ? 'the line of the results is not JSON'
        : `the line of the results is longer than ${maxLineChars} characters`
    // Text inside a JSON string cannot match, because its quotes are escaped.
    const id = /"custom_id"\s*:\s*"([A-Za-z0-9_-]{1,64})"/.exec(line.slice(0, maxKeptChars))?.[1]
    return { customId: id, result: toUnreadable(reason) } as BatchResultLine
  }
  const { custom_id: id, result } = toFields(fields)
  if (typeof id !== 'string')
    return { customId: undefined, result: toUnreadable('the line of the results has no custom_id') }
  return {
    customId: id,
    result: parseResult(result) ?? toUnreadable('its result is not one that the API documents'),
  }
}

/** Returns undefined if the result has an unknown shape. */
function parseResult(result: unknown): BatchResult | undefined {
  const { type, message, error } = toFields(result)
  switch (type) {
    case 'canceled':
    case 'expired':
      return type
    case 'errored':
      return { requestError: parseRequestError(error) }
    case 'succeeded': {
      const reply = tryParseReply(message)
      return reply && { reply: { ...reply, terms: { ...reply.terms, batch: true } } }
    }
    default:
      return undefined
  }
}

function tryParseReply(message: unknown): Reply | undefined {
  try {
    return parseReply(message, { headers: new Headers(), status: 200 })
  } catch (error) {
    if (error instanceof AskError) return undefined
    throw error
  }
}

/** Parses an error body like that of a live request. The status follows from the error type. */
function parseRequestError(body: unknown): RequestError {
  const { type = 'api_error', message = 'an error without a message', code, requestId } = parseErrorBody(body)
  return {
    kind: 'status',
    status: findStatusForType(type) ?? 500,
    type,
    message,
    ...(code !== undefined && { code }),
    ...(requestId !== undefined && { requestId }),
  }
}
