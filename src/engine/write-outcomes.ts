import type { Outcome } from '../core/run/outcome.ts'

/** Anything that takes outcomes: a sink, as far as the engine needs to know it. */
interface Taker {
  write(outcome: Outcome): Promise<void>
}

export interface DeliverOptions {
  readonly to: Taker
  /** Told of each outcome once it is safe. */
  readonly delivered: (outcome: Outcome) => void
  /** Told of each that could not be written, with the reason: paid-for text must not vanish. */
  readonly refused: (outcome: Outcome, error: unknown) => void
}

/** So many writes may overlap: a disk that syncs slowly must not slow the requests down. */
const writesAtOnce = 32

/** Spends the outcomes: writes each, and tells what became of it. An outcome counts as delivered only once it is written. */
export async function deliver(
  outcomes: AsyncIterable<Outcome>,
  { to, delivered, refused }: DeliverOptions,
): Promise<void> {
  const writing = new Set<Promise<void>>()
  for await (const outcome of outcomes) {
    const write = to
      .write(outcome)
      .then(
        () => delivered(outcome),
        (error: unknown) => refused(outcome, error),
      )
      .finally(() => writing.delete(write))
    writing.add(write)
    if (writing.size >= writesAtOnce) await Promise.race(writing)
  }
  await Promise.all(writing)
}
