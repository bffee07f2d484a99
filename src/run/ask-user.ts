import type { Runtime } from '../runtime.ts'
import { getEventWriter } from '../ui/event-streams.ts'

/**
 * Asks the user a question on the terminal. A program that reads events from stderr is not asked: it could not tell a
 * question from an event.
 * @returns whether the answer was yes; undefined without a terminal, or with events
 * @throws the signal's reason
 */
export async function askUser(
  { confirm, stderr }: Pick<Runtime, 'confirm' | 'stderr'>,
  question: string,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  return getEventWriter(stderr) === undefined
    ? confirm(`claude-batch: ${question} [y/N] `, signal)
    : undefined
}
