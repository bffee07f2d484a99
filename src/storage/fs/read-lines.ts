import { dirname } from 'node:path'
import { toReadError } from './disk-error.ts'
import { openForReading } from './no-follow-fs.ts'
import { unusablePathError } from './symlinks.ts'

/**
 * Yields a file's lines in groups, one group per read. With one event loop turn per line, 100,000 lines would
 * take longer than reading them. A file that does not exist has no lines.
 * @param file a file in an output folder
 * @param root the output folder; if left out, the file is directly in its state folder
 * @param onPartialLine called with the text after the last line break, which is otherwise yielded as a line
 * @throws ExitError `ioError`
 */
export async function* readLines(
  file: string,
  root = dirname(dirname(file)),
  onPartialLine?: (text: string) => void,
): AsyncGenerator<string[]> {
  // The pieces of a line are joined once, at its end; joining them at every read would copy a long line each
  // time.
  let pieces: string[] = []
  let length = 0
  try {
    const handle = await openForReading(root, file)
    if (handle === undefined) return
    for await (const chunk of handle.createReadStream({ encoding: 'utf8', highWaterMark: readSizeBytes })) {
      const [firstPiece = '', ...lines] = (chunk as string).split('\n')
      pieces.push(firstPiece)
      length += firstPiece.length
      if (length > maxLineChars) throw unusablePathError(file, 'it has a line that is far too long')
      const lastPiece = lines.pop()
      if (lastPiece === undefined) continue
      yield [pieces.join(''), ...lines]
      pieces = [lastPiece]
      length = lastPiece.length
    }
  } catch (error) {
    throw toReadError(file, error as NodeJS.ErrnoException)
  }
  const rest = pieces.join('')
  if (rest === '') return
  if (onPartialLine === undefined) yield [rest]
  else onPartialLine(rest)
}

/**
 * Bytes per read. V8's minor garbage collector skips strings above 128 KB, so larger reads of a long file
 * would fill the memory.
 */
const readSizeBytes = 64 * 1024

/**
 * Maximum characters of a line. The longest line that claude-batch writes holds a summary of a few hundred
 * thousand tokens.
 */
const maxLineChars = 32_000_000
