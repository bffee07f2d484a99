import type { Outcome } from './outcome.ts'

/** A destination for outcomes. It stores an outcome completely, or rejects. Writes may overlap. */
export interface Sink {
  /**
   * Resolves when this sink has stored the outcome.
   * @throws RunError if the outcome cannot be written, or the reader of a stream has closed it
   */
  write(outcome: Outcome): Promise<void>
  /** Called after the last write. */
  close(): Promise<void>
}
