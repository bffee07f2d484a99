import { dirname } from 'node:path'
import { sumInputTokens } from '../core/pricing/usage.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import {
  count,
  describe,
  nullable,
  objectOf,
  oneOf,
  optional,
  safeNumber,
  string,
  type TypeOf,
  timestamp,
  toJsonSchema,
} from '../core/text/shape.ts'
import { type AppendFile, openAppendFile } from '../storage/fs/append-file.ts'
import { makeFolder } from '../storage/fs/create-folder.ts'
import { toWriteError } from '../storage/fs/disk-error.ts'
import { createNamedStreamWriter, type NamedFile } from '../storage/fs/named-file.ts'

/** Incremented by changes that break programs that read the older format, but not for new fields. */
const logFormatVersion = 1

const logEntryShape = objectOf({
  format_version: oneOf(logFormatVersion),
  started_at: timestamp,
  path: string,
  attempt: describe(count, 'which request for this document, from 1'),
  status_code: describe(nullable(count), 'null where no response came'),
  elapsed_ms: describe(nullable(safeNumber), 'from sending the request to the last byte, or to the error'),
  first_token_ms: optional(
    describe(safeNumber, 'from sending the request to the first text of a streamed reply'),
  ),
  input_tokens: describe(
    nullable(count),
    'all input, including what was read from or written to the prompt cache; null where the API did not count',
  ),
  output_tokens: nullable(count),
  model: string,
  request_id: nullable(string),
  batch_id: optional(describe(string, 'the Message Batch that the request was in')),
  error_type: nullable(string),
  error_code: optional(string),
})
interface LogEntry extends TypeOf<typeof logEntryShape> {}

/** The JSON Schema of a line; shipped as `dist/schemas/request-log.json`. */
export const requestLogSchema = toJsonSchema(logEntryShape, {
  title: 'a line of the request log of claude-batch (--log)',
  description: 'One line per request, retries included; null is unknown.',
})

/**
 * A log with one JSON line per attempt, appended when the attempt ends. Contains no document text and no API
 * key.
 */
export interface RequestLog {
  writeAttempt(attempt: Attempt): void
  /** @throws ExitError `ioError` if a line could not be written */
  close(): Promise<void>
}

/** Opens a log and creates its folders. @throws ExitError `ioError` */
export async function openRequestLog({ file, stream, label: shown }: NamedFile): Promise<RequestLog> {
  const { append, close } = stream === undefined ? await openLogFile(file) : createLineWriter(stream, shown)
  let failure: Error | undefined
  return {
    writeAttempt(attempt) {
      append(JSON.stringify(replaceLoneSurrogates(toLogEntry(attempt)))).catch((error: Error) => {
        failure ??= error
      })
    },
    async close() {
      await close()
      if (failure !== undefined) throw failure
    },
  }
}

async function openLogFile(file: string): Promise<AppendFile> {
  await makeFolder(dirname(file)).catch((error: NodeJS.ErrnoException) => {
    throw toWriteError(file, error)
  })
  return openAppendFile(file)
}

/** Creates a writer of lines to a stream. Its `close` waits for the last line and leaves the stream open. */
function createLineWriter(stream: NonNullable<NamedFile['stream']>, label: string) {
  const write = createNamedStreamWriter(stream, label)
  let last: Promise<void> = Promise.resolve()
  return {
    append(line: string): Promise<void> {
      const writing = write(`${line}\n`)
      last = writing.catch(() => {})
      return writing
    },
    close: () => last,
  }
}

function toLogEntry(attempt: Attempt): LogEntry {
  const { firstTokenMs, usage, error, batchId } = attempt
  return {
    format_version: logFormatVersion,
    started_at: new Date(attempt.startedAt).toISOString(),
    path: attempt.path,
    attempt: attempt.attemptNumber,
    status_code: attempt.status ?? null,
    elapsed_ms: Math.round(attempt.elapsedMs),
    ...(firstTokenMs !== undefined && { first_token_ms: Math.round(firstTokenMs) }),
    input_tokens: usage === undefined ? null : sumInputTokens(usage),
    output_tokens: usage?.output_tokens ?? null,
    model: attempt.model,
    request_id: attempt.requestId ?? null,
    ...(batchId !== undefined && { batch_id: batchId }),
    error_type: error?.type ?? null,
    ...(error?.code !== undefined && { error_code: error.code }),
  }
}

/** Whether a line is an entry of a request log. */
export function isLogEntry(line: string): boolean {
  try {
    return logEntryShape.matches(JSON.parse(line))
  } catch {
    return false
  }
}
