import { dirname } from 'node:path'
import { toReadError } from './disk-error.ts'
import { openForReading } from './no-follow-fs.ts'
import { unusablePathError } from './symlinks.ts'

/**
 * A file's lines, as many together as one read brings: a turn of the event loop for each of a hundred thousand would
 * take longer than reading them. A file that is not there has none.
 * @param file of an output folder
 * @param root the output folder; if left out, the file is directly in its state folder
 * @param onPartialLine called with what comes after the last end of a line, which is otherwise one more line
 * @throws ExitError `ioError`
 */
export async function* readLines(
  file: string,
  root = dirname(dirname(file)),
  onPartialLine?: (text: string) => void,
): AsyncGenerator<string[]> {
  // Joined once, at the end of the line: joining it at every read would copy a long line again and again.
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

/** Strings above 128 KB are beyond V8's quick collection: read in such pieces, a long file piles up in memory. */
const readSizeBytes = 64 * 1024

/** Characters. The longest that is ever written holds a summary of some hundred thousand tokens. */
const maxLineChars = 32_000_000
