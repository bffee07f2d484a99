import type { ChunkCache } from '../core/chunking/chunk-cache.ts'
import {
  citationShape,
  fromCitationFields,
  fromReportedFields,
  reportedCitationShape,
  toCitationFields,
  toReportedFields,
} from '../core/citations/citation-fields.ts'
import type { InputProblem } from '../core/document/document.ts'
import type { ReusableSummary } from '../core/document/reusable-summary.ts'
import { describePermanentFailure } from '../core/errors/failure.ts'
import type { Outcome, RequestMetadata } from '../core/run/outcome.ts'
import {
  count,
  listOf,
  objectOf,
  oneOf,
  optional,
  type Shape,
  string,
  type TypeOf,
} from '../core/text/shape.ts'
import type { AnswerReader } from './schema-data.ts'
import type { CheckedStore } from './store.ts'

/** Incremented by every change of the format. Values in another format are ignored. */
const storeVersion = 1

const summaryShape = objectOf({
  format_version: oneOf(storeVersion),
  status: oneOf('summarized'),
  text: string,
  model: string,
  request_id: optional(string),
  /** Of a summary whose prompt asks for them. */
  citations: optional(listOf(citationShape)),
})

/** The notes on a chunk of a long text. */
const chunkShape = objectOf({
  format_version: oneOf(storeVersion),
  text: string,
  model: string,
  citations: optional(listOf(reportedCitationShape)),
})

/** A failure that the same request would repeat. */
const failureShape = objectOf({
  format_version: oneOf(storeVersion),
  status: oneOf('failed'),
  /** The HTTP status; absent if the reply itself is the problem. */
  http_status: optional(count),
  type: string,
  message: string,
  partial: optional(string),
})

/** The results in a store. A damaged value counts as missing. */
export interface StoredResults {
  /** Returns the result of a request: a summary, or a failure that would repeat. @throws StoreError */
  find(asked: Pick<RequestMetadata, 'requestHash'>): Promise<ReusableSummary | InputProblem | undefined>
  /** Stores the result of an outcome, if the same request would have the same result. @throws StoreError */
  save(outcome: Outcome): Promise<void>
  /** The notes on chunks of long texts. */
  readonly chunkCache: Pick<ChunkCache, 'get' | 'save' | 'saveCost'>
}

/** Returns the results in a store. @param reader checks stored summaries, because anyone may have written them */
export function createStoredResults(
  store: CheckedStore,
  { findMismatch }: Pick<AnswerReader, 'findMismatch'>,
): StoredResults {
  const read = async <T>(key: string, shape: Shape<T>): Promise<T | undefined> =>
    parseValue(await store.get(key), shape)
  return {
    async find({ requestHash }) {
      const value = await store.get(toResultKey(requestHash))
      const summary = parseValue(value, summaryShape)
      if (summary !== undefined && findMismatch(summary.text) === undefined) {
        const { text, model, request_id: requestId, citations } = summary
        const from = { path: '', isMove: false, model, ...(requestId !== undefined && { requestId }) }
        return {
          action: 'reuse',
          text,
          from,
          ...(citations && { citations: citations.map(fromCitationFields) }),
        }
      }
      const failure = parseValue(value, failureShape)
      if (failure === undefined) return undefined
      const { type, message, http_status: kind = 'reply', partial } = failure
      return { action: 'fail', type, message, kind, ...(partial !== undefined && { partialText: partial }) }
    },
    async save(outcome) {
      const { requestMetadata, attempts } = outcome
      const value = attempts.length === 0 ? undefined : formatResult(outcome)
      if (requestMetadata !== undefined && value !== undefined)
        await store.set(toResultKey(requestMetadata.requestHash), JSON.stringify(value))
    },
    chunkCache: {
      async get({ hash }) {
        const value = await read(toChunkKey(hash), chunkShape)
        return value && { ...value, citations: value.citations?.map(fromReportedFields) ?? [] }
      },
      async save({ hash }, { text, model, citations = [] }) {
        const value: TypeOf<typeof chunkShape> = {
          format_version: storeVersion,
          text,
          model,
          ...(citations.length > 0 && { citations: citations.map(toReportedFields) }),
        }
        await store.set(toChunkKey(hash), JSON.stringify(value))
      },
      // The cost of a reply is reported with the text that it is about, or lost with the process.
      saveCost: async () => {},
    },
  }
}

const toResultKey = (requestHash: string) => `result/${requestHash}`
const toChunkKey = (requestHash: string) => `chunk/${requestHash}`

function parseValue<T>(value: string | undefined, shape: Shape<T>): T | undefined {
  if (value === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(value)
    return shape.matches(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

function formatResult(outcome: Outcome): TypeOf<typeof summaryShape | typeof failureShape> | undefined {
  const { model = '', requestId } = outcome.attempts.at(-1) ?? {}
  if (outcome.status === 'summarized') {
    const { text, citations } = outcome
    const cited = citations && { citations: citations.map(toCitationFields) }
    return { ...formatSummary(text, model, requestId), ...cited }
  }
  if (outcome.status !== 'failed' || describePermanentFailure(outcome.failure) === undefined) return undefined
  const { failure, partialText = '' } = outcome
  const { kind, type, message } = failure
  return {
    format_version: storeVersion,
    status: 'failed',
    ...(typeof kind === 'number' && { http_status: kind }),
    type,
    message,
    ...(partialText !== '' && { partial: partialText }),
  }
}

function formatSummary(
  text: string,
  model: string,
  requestId: string | undefined,
): TypeOf<typeof summaryShape> {
  const id = requestId === undefined ? {} : { request_id: requestId }
  return { format_version: storeVersion, status: 'summarized', text, model, ...id }
}
