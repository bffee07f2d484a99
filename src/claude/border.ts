import type { Batches } from '../core/batch/batch-api.ts'
import { AskError } from '../core/errors/ask-error.ts'
import type { Ask } from '../core/request/ask.ts'

interface Asking {
  readonly ask: Ask
  readonly count: Ask
  readonly batches: Batches
}

/**
 * Wraps what asks the API, so that nothing that a server sends back can carry a secret further: into records, ledger,
 * logs, reports or messages. A server, or a gateway in front of it, may repeat what it was sent in any field. Only the
 * text of the model is handed on as it is: it is the product, and a document may be about keys.
 */
export function withoutSecrets({ ask, count, batches }: Asking, redact: (text: string) => string): Asking {
  const clean = async <Value>(promise: Promise<Value>): Promise<Value> => {
    try {
      return redacted(await promise, redact)
    } catch (error) {
      throw redactedError(error, redact)
    }
  }
  return {
    ask: (...request) => clean(ask(...request)),
    count: (...request) => clean(count(...request)),
    batches: {
      entry: batches.entry,
      create: (...request) => clean(batches.create(...request)),
      retrieve: (...request) => clean(batches.retrieve(...request)),
      since: (...request) => clean(batches.since(...request)),
      cancel: (...request) => clean(batches.cancel(...request)),
      async *answers(...request) {
        try {
          for await (const answer of batches.answers(...request)) yield redacted(answer, redact)
        } catch (error) {
          throw redactedError(error, redact)
        }
      },
    },
  }
}

/** The same value with every string redacted, and well-formed, but those called `text`, which are well-formed already. */
function redacted<Value>(value: Value, redact: (text: string) => string): Value {
  if (typeof value === 'string') return redact(value).toWellFormed() as Value
  if (Array.isArray(value)) return value.map((item: unknown) => redacted(item, redact)) as Value
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => [
    name,
    name === 'text' ? field : redacted(field, redact),
  ])
  return Object.fromEntries(fields) as Value
}

/** Errors that are not about a request are bugs or the caller's own: they stay the same objects. */
function redactedError(error: unknown, redact: (text: string) => string): unknown {
  if (error instanceof AskError)
    return new AskError(redacted(error.fault, redact), error.attempts, error.again)
  for (let at = error; at instanceof Error; at = at.cause) {
    const { message, stack } = at
    if (redact(message) !== message) at.message = redact(message)
    if (stack !== undefined && redact(stack) !== stack) at.stack = redact(stack)
  }
  return error
}
