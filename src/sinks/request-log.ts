import { dirname } from 'node:path'
import type { Attempt } from '../core/request/attempt.ts'
import { wellFormed } from '../core/text/well-formed.ts'
import { type AppendFile, openAppendFile } from '../storage/fs/append-file.ts'
import { cannotWrite } from '../storage/fs/disk-error.ts'
import { type NamedFile, namedStreamWriter } from '../storage/fs/named-file.ts'
import { makeFolder } from '../storage/fs/output-directories.ts'

/** One JSON line per attempt, appended as it ends; no text of any document, no key. */
export interface AttemptLog {
  attempt(attempt: Attempt): void
  /** @throws RunError `io` if a line could not be written */
  close(): Promise<void>
}

/** Opens a log, with the folders it is in. @throws RunError `io` */
export async function openLog({ file, stream, shown }: NamedFile): Promise<AttemptLog> {
  const { append, close } = stream === undefined ? await openFile(file) : lines(stream, shown)
  let failure: Error | undefined
  return {
    attempt(attempt) {
      append(JSON.stringify(wellFormed(entryOf(attempt)))).catch((error: Error) => {
        failure ??= error
      })
    },
    async close() {
      await close()
      if (failure !== undefined) throw failure
    },
  }
}

async function openFile(file: string): Promise<AppendFile> {
  await makeFolder(dirname(file)).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(file, error)
  })
  return openAppendFile(file)
}

/** Lines on a stream, which stays open. */
function lines(stream: NonNullable<NamedFile['stream']>, shown: string) {
  const write = namedStreamWriter(stream, shown)
  let last: Promise<void> = Promise.resolve()
  return {
    append(line: string): Promise<void> {
      const written = write(`${line}\n`)
      last = written.catch(() => {})
      return written
    },
    close: () => last,
  }
}

function entryOf({
  path,
  attempt,
  at,
  elapsedMs,
  firstTokenMs,
  model,
  requestId,
  status,
  usage,
  fault,
  batch,
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
const fields: readonly (keyof ReturnType<typeof entryOf>)[] = [
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
    return typeof entry === 'object' && entry !== null && fields.every((name) => Object.hasOwn(entry, name))
  } catch {
    return false
  }
}
