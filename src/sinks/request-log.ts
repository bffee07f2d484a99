import { dirname } from 'node:path'
import type { Attempt } from '../core/request/attempt.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { type AppendFile, openAppendFile } from '../storage/fs/append-file.ts'
import { makeFolder } from '../storage/fs/create-folder.ts'
import { toWriteError } from '../storage/fs/disk-error.ts'
import { createNamedStreamWriter, type NamedFile } from '../storage/fs/flag-file.ts'

/** One JSON line per attempt, appended as it ends; no text of any document, no key. */
export interface RequestLog {
  writeAttempt(attempt: Attempt): void
  /** @throws RunError `ioError` if a line could not be written */
  close(): Promise<void>
}

/** Opens a log, with the folders it is in. @throws RunError `ioError` */
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

/** Lines on a stream, which stays open. */
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

function toLogEntry({
  path,
  attemptNumber: attempt,
  startedAt: at,
  elapsedMs,
  firstTokenMs,
  model,
  requestId,
  status,
  usage,
  error: fault,
  batchId: batch,
}: Attempt) {
  return {
    time: new Date(at).toISOString(),
    file: path,
    attempt,
    status_code: status ?? null,
    elapsed_ms: Math.round(elapsedMs),
    ...(firstTokenMs !== undefined && { first_token_ms: Math.round(firstTokenMs) }),
    input_tokens:
      usage === undefined ? null : usage.input + usage.cacheRead + usage.cacheWrite5m + usage.cacheWrite1h,
    output_tokens: usage?.output ?? null,
    model,
    request_id: requestId ?? null,
    ...(batch !== undefined && { batch }),
    error_type: fault?.type ?? null,
    ...(fault?.code !== undefined && { error_code: fault.code }),
  }
}

/** Every entry has them, whatever became of its attempt. */
const requiredFields: readonly (keyof ReturnType<typeof toLogEntry>)[] = [
  'time',
  'file',
  'attempt',
  'status_code',
  'elapsed_ms',
  'input_tokens',
  'output_tokens',
  'model',
  'request_id',
  'error_type',
]

/** Whether a line of a file is an entry of such a log. */
export function isLogEntry(line: string): boolean {
  try {
    const entry: unknown = JSON.parse(line)
    return (
      typeof entry === 'object' &&
      entry !== null &&
      requiredFields.every((name) => Object.hasOwn(entry, name))
    )
  } catch {
    return false
  }
}
