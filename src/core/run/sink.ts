import type { Outcome } from './outcome.ts'

/**
 * A place where outcomes go. Whatever a sink is given it either keeps whole or refuses with an error; it never keeps
 * half. Writes may overlap.
 */
export interface Sink {
  /**
   * Resolves when the outcome is safe, as far as this sink is concerned.
   * @throws RunError where it cannot be written, or where its reader has left
   */
  write(outcome: Outcome): Promise<void>
  /** After the last write. */
  close(): Promise<void>
}
