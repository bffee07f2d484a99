import { dirname } from 'node:path'
import { unusable } from './check-links.ts'
import { cannotRead } from './disk-error.ts'
import { openToRead } from './output-files.ts'

/**
 * A file's lines, as many together as one read brings: a turn of the event loop for each of a hundred thousand would
 * take longer than reading them. A file that is not there has none.
 * @param file of an output folder
 * @param root the output folder; if left out, the file is directly in its state folder
 * @param onTorn called with what comes after the last end of a line, which is otherwise one more line
 * @throws RunError `io`
 */
export async function* readLines(
  file: string,
  root = dirname(dirname(file)),
  onTorn?: (text: string) => void,
): AsyncGenerator<string[]> {
  // Joined once, at the end of the line: joining it at every read would copy a long line again and again.
  let pieces: string[] = []
  let length = 0
  try {
    const handle = await openToRead(root, file)
    if (handle === undefined) return
    for await (const chunk of handle.createReadStream({ encoding: 'utf8', highWaterMark: pieceBytes })) {
      const [end = '', ...lines] = (chunk as string).split('\n')
      pieces.push(end)
      length += end.length
      if (length > longestLine) throw unusable(file, 'it has a line that is far too long')
      const start = lines.pop()
      if (start === undefined) continue
      yield [pieces.join(''), ...lines]
      pieces = [start]
      length = start.length
    }
  } catch (error) {
    throw cannotRead(file, error as NodeJS.ErrnoException)
  }
  const rest = pieces.join('')
  if (rest === '') return
  if (onTorn === undefined) yield [rest]
  else onTorn(rest)
}

/** Strings above 128 KB are beyond V8's quick collection: read in such pieces, a long file piles up in memory. */
const pieceBytes = 64 * 1024

/** Characters. The longest that is ever written holds a summary of some hundred thousand tokens. */
const longestLine = 32_000_000
