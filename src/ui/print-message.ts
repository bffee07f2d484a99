import { escapeControlChars } from '../core/text/escape-control-chars.ts'

/**
 * Prints one message on stderr, after the name of the program. Control characters are escaped, since a message may
 * quote file names and answers.
 * @param allowed control characters that are printed as they are, such as `'\n'` in a message of several lines
 */
export function printMessage(
  { stderr }: { readonly stderr: Pick<NodeJS.WritableStream, 'write'> },
  text: string,
  allowed = '',
): void {
  stderr.write(`claude-batch: ${escapeControlChars(text, allowed)}\n`)
}
