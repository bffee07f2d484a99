import { open } from 'node:fs/promises'
import type { Attempt } from '../core/attempt.ts'
import { cannotWrite } from './whole-file.ts'

/** One JSON line per attempt, appended as it ends; no text of any document, no key. */
export interface AttemptLog {
  attempt(attempt: Attempt): void
  /** @throws RunError `io` if a line could not be written */
  close(): Promise<void>
}

/** @throws RunError `io` when the file cannot be opened, before anything is sent */
export async function openLog(file: string): Promise<AttemptLog> {
  const handle = await open(file, 'a+').catch((error) => {
    throw cannotWrite(file, error)
  })
  const { size } = await handle.stat()
  const tail = Buffer.alloc(1)
  // A line that an earlier crash left torn must not be welded to the next.
  const torn = size > 0 && (await handle.read(tail, 0, 1, size - 1)).bytesRead === 1 && tail[0] !== 0x0a
  let writing: Promise<unknown> = torn ? handle.appendFile('\n') : Promise.resolve()

  return {
    attempt(attempt) {
      writing = writing.then(() => handle.appendFile(`${JSON.stringify(lineOf(attempt))}\n`))
      // Told at close; until then it must not count as an unhandled rejection.
      writing.catch(() => {})
    },
    async close() {
      try {
        await writing
      } catch (error) {
        throw cannotWrite(file, error as NodeJS.ErrnoException)
      } finally {
        await handle.close()
      }
    },
  }
}

function lineOf({
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
    error_type: fault?.type ?? null,
    ...(fault?.code !== undefined && { error_code: fault.code }),
  }
}
