import { escapeControlChars } from '../core/text/escape-control-chars.ts'

/**
 * Prints a message on stderr, after the name of the program. Control characters are escaped, because a
 * message may quote file names and replies.
 * @param allowed control characters that are printed unchanged, such as `'\n'` in a message with several
 *   lines
 */
export function printMessage(
  { stderr }: { readonly stderr: Pick<NodeJS.WritableStream, 'write'> },
  text: string,
  allowed = '',
): void {
  stderr.write(`claude-batch: ${escapeControlChars(text, allowed)}\n`)
}
