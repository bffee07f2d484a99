import { escapeControlChars } from '../core/text/escape-control-chars.ts'

import { getEventWriter } from './event-streams.ts'

/**
 * Prints a message on stderr, after the name of the program. Control characters are escaped, because a
 * message may quote file names and replies.
 * Where other programs read stderr, the message is an event.
 * @param allowed control characters that are printed unchanged, such as `'\n'` in a message with several
 *   lines
 */
export function printMessage(
  { stderr }: { readonly stderr: Pick<NodeJS.WritableStream, 'write'> },
  text: string,
  allowed = '',
): void {
  const events = getEventWriter(stderr)
  if (events === undefined) stderr.write(`claude-batch: ${escapeControlChars(text, allowed)}\n`)
  else events.write({ event: 'message', text })
}
