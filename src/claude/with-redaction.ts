import { AskError } from '../core/errors/ask-error.ts'
import type { MessagesApi } from './messages-api.ts'

/**
 * Wraps the API functions so that no server response can carry a secret into records, ledger, logs, reports
 * or messages. A server or a gateway may repeat a request's contents in any field. Only the model's text and its quotes of the
 * document stay unchanged: they are the result, and a document may be about keys.
 */
export function withRedaction(
  { ask, countTokens, batches }: MessagesApi,
  redact: (text: string) => string,
): MessagesApi {
  const redactSettled = async <Value>(promise: Promise<Value>): Promise<Value> => {
    try {
      return redactStrings(await promise, redact, resultFields)
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
          for await (const answer of batches.fetchResults(...request))
            yield redactStrings(answer, redact, resultFields)
        } catch (error) {
          throw redactError(error, redact)
        }
      },
    },
  }
}

/** The fields of a reply with the model's text and with quotes of the document. Both are well-formed. */
const resultFields: ReadonlySet<string> = new Set(['text', 'quote'])

const noFields: ReadonlySet<string> = new Set()

/**
 * Returns the value with every string redacted and well-formed.
 * @param keep the names of fields that stay unchanged
 */
function redactStrings<Value>(value: Value, redact: (text: string) => string, keep = noFields): Value {
  if (typeof value === 'string') return redact(value).toWellFormed() as Value
  if (Array.isArray(value)) return value.map((item: unknown) => redactStrings(item, redact, keep)) as Value
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]: [string, unknown]) => [
    name,
    keep.has(name) ? field : redactStrings(field, redact, keep),
  ])
  return Object.fromEntries(fields) as Value
}

/**
 * Removes secrets from an error and its causes: from their texts, from the body of a response and from its headers.
 * The error stays the same object, so that a caller still recognizes its class.
 */
function redactErrorInPlace(error: unknown, redact: (text: string) => string): void {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    for (const name of Object.getOwnPropertyNames(cause)) {
      const value: unknown = Reflect.get(cause, name)
      if (typeof value === 'string' || parsedBodies.has(name))
        Reflect.set(cause, name, redactStrings(value, redact))
      else if (isHeaders(value)) Reflect.set(cause, name, redactHeaders(value, redact))
    }
  }
}

/** The fields of the SDK's errors that contain the body of a response, or a part of it. */
const parsedBodies: ReadonlySet<string> = new Set(['error', 'details', 'body'])

type HeaderList = Pick<Headers, 'entries'>

function isHeaders(value: unknown): value is HeaderList {
  return typeof (value as Partial<HeaderList> | null)?.entries === 'function' && !Array.isArray(value)
}

/** Returns the headers themselves if they contain no secret. */
function redactHeaders(headers: HeaderList, redact: (text: string) => string): HeaderList {
  const entries = [...headers.entries()]
  const redacted = entries.map(([name, value]): [string, string] => [name, redact(value)])
  return redacted.every(([, value], index) => value === entries[index]?.[1]) ? headers : new Headers(redacted)
}

/**
 * Redacts an error. An error other than an `AskError` is a bug or the caller's abort reason, so it stays the
 * same object.
 */
function redactError(error: unknown, redact: (text: string) => string): unknown {
  redactErrorInPlace(error instanceof AskError ? error.cause : error, redact)
  return error instanceof AskError
    ? error.with({ requestError: redactStrings(error.requestError, redact) })
    : error
}
