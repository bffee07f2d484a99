import type { RunStats } from '../core/run/run-stats.ts'
import type { RunEvent } from './run-event.ts'

/** An event without the fields that all events have. */
export type NewEvent<Event extends RunEvent = RunEvent> = Event extends RunEvent
  ? Omit<Event, 'format_version' | 'at'>
  : never

/** Writes the events of a process. */
export interface EventWriter {
  write(event: NewEvent): void
  /** Adds the results of a run to those in the last event. */
  addResults(stats: RunStats): void
  /** Writes the last event. */
  end(exitCode: number): void
}

/** The writers of the streams on which other programs read events. */
const writers = new WeakMap<object, EventWriter>()

/** Makes messages on this stderr events. */
export function setEventWriter(stderr: Pick<NodeJS.WritableStream, 'write'>, writer: EventWriter): void {
  writers.set(stderr, writer)
}

/** Returns the writer of a stderr that is a stream of JSON lines; undefined if it is for people. */
export function getEventWriter(stderr: Pick<NodeJS.WritableStream, 'write'>): EventWriter | undefined {
  return writers.get(stderr)
}
