import type { Attempt } from '../core/attempt.ts'
import { openAppendFile } from './append-file.ts'

/** One JSON line per attempt, appended as it ends; no text of any document, no key. */
export interface AttemptLog {
  attempt(attempt: Attempt): void
  /** @throws RunError `io` if a line could not be written */
  close(): Promise<void>
}

/** @throws RunError `io` when the file cannot be opened, before anything is sent */
export async function openLog(path: string): Promise<AttemptLog> {
  const file = await openAppendFile(path)
  let failure: Error | undefined
  return {
    attempt(attempt) {
      file.append(JSON.stringify(lineOf(attempt))).catch((error: Error) => {
        failure ??= error
      })
    },
    async close() {
      await file.close()
      if (failure !== undefined) throw failure
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
