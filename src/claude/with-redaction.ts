import { AskError } from '../core/errors/ask-error.ts'
import type { MessagesApi } from './messages-api.ts'

/**
 * Wraps the API functions so that no server response can carry a secret into records, ledger, logs, reports
 * or messages. A server or a gateway may repeat a request's contents in any field. Only the model's text
 * stays unchanged: it is the result, and a document may be about keys.
 */
export function withRedaction(
  { ask, countTokens, batches }: MessagesApi,
  redact: (text: string) => string,
): MessagesApi {
  const redactSettled = async <Value>(promise: Promise<Value>): Promise<Value> => {
    try {
      return redactStrings(await promise, redact)
    } catch (error) {
      throw redactError(error, redact)
    }
  }
  return {
    ask: (...request) => redactSettled(ask(...request)),
    countTokens: (...request) => redactSettled(countTokens(...request)),
    batches: {
      formatEntry: batches.formatEntry,
      create: (...request) => redactSettled(batches.create(...request)),
      retrieve: (...request) => redactSettled(batches.retrieve(...request)),
      listSince: (...request) => redactSettled(batches.listSince(...request)),
      cancel: (...request) => redactSettled(batches.cancel(...request)),
      async *fetchResults(...request) {
        try {
          for await (const answer of batches.fetchResults(...request)) yield redactStrings(answer, redact)
        } catch (error) {
          throw redactError(error, redact)
        }
      },
    },
  }
}

/**
 * Returns the value with every string redacted and well-formed, except fields named `text`, which are already
 * well-formed.
 */
function redactStrings<Value>(value: Value, redact: (text: string) => string): Value {
  if (typeof value === 'string') return redact(value).toWellFormed() as Value
  if (Array.isArray(value)) return value.map((item: unknown) => redactStrings(item, redact)) as Value
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => [
    name,
    name === 'text' ? field : redactStrings(field, redact),
  ])
  return Object.fromEntries(fields) as Value
}

/**
 * Redacts an error. An error other than an `AskError` is a bug or the caller's abort reason, so it stays the
 * same object.
 */
function redactError(error: unknown, redact: (text: string) => string): unknown {
  if (error instanceof AskError)
    return new AskError(redactStrings(error.requestError, redact), error.attempts, error.retryPlan)
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { message, stack } = cause
    if (redact(message) !== message) cause.message = redact(message)
    if (stack !== undefined && redact(stack) !== stack) cause.stack = redact(stack)
  }
  return error
}
