import type { Outcome } from '../core/run/outcome.ts'

/** The part of a sink that the engine needs. */
interface OutcomeWriter {
  write(outcome: Outcome): Promise<void>
}

export interface WriteOutcomesOptions {
  readonly writer: OutcomeWriter
  /** Called with each outcome after it was written. */
  readonly onWritten: (outcome: Outcome) => void
  /**
   * Called with each outcome that could not be written, and the error: its text was paid for and must not be
   * lost.
   */
  readonly onWriteError: (outcome: Outcome, error: unknown) => void
}

/** The maximum number of concurrent writes: a disk that syncs slowly must not delay requests. */
const maxConcurrentWrites = 32

/** Writes each outcome and reports the result. An outcome counts as delivered only after it was written. */
export async function writeOutcomes(
  outcomes: AsyncIterable<Outcome>,
  { writer, onWritten, onWriteError }: WriteOutcomesOptions,
): Promise<void> {
  const pendingWrites = new Set<Promise<void>>()
  for await (const outcome of outcomes) {
    const write = writer
      .write(outcome)
      .then(
        () => onWritten(outcome),
        (error: unknown) => onWriteError(outcome, error),
      )
      .finally(() => pendingWrites.delete(write))
    pendingWrites.add(write)
    if (pendingWrites.size >= maxConcurrentWrites) await Promise.race(pendingWrites)
  }
  await Promise.all(pendingWrites)
}
