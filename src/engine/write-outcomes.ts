import type { Outcome } from '../core/run/outcome.ts'

/** Anything that takes outcomes: a sink, as far as the engine needs to know it. */
interface OutcomeWriter {
  write(outcome: Outcome): Promise<void>
}

export interface WriteOutcomesOptions {
  readonly writer: OutcomeWriter
  /** Told of each outcome once it is safe. */
  readonly onWritten: (outcome: Outcome) => void
  /** Told of each that could not be written, with the reason: paid-for text must not vanish. */
  readonly onWriteError: (outcome: Outcome, error: unknown) => void
}

/** So many writes may overlap: a disk that syncs slowly must not slow the requests down. */
const maxConcurrentWrites = 32

/** Spends the outcomes: writes each, and tells what became of it. An outcome counts as delivered only once it is written. */
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
