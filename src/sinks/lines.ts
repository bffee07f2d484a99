import { cannotRead } from './disk-error.ts'
import { openRegular } from './regular-file.ts'

/**
 * A file's lines, as many together as one read brings: a turn of the event loop for each of a hundred thousand would
 * take longer than reading them. A file that is not there has none.
 * @throws RunError `io`
 */
export async function* readLines(file: string): AsyncGenerator<string[]> {
  let rest = ''
  try {
    const handle = await openRegular(file)
    if (handle === undefined) return
    for await (const chunk of handle.createReadStream({ encoding: 'utf8', highWaterMark: pieceBytes })) {
      const lines = (rest + (chunk as string)).split('\n')
      rest = lines.pop() ?? ''
      yield lines
    }
  } catch (error) {
    throw cannotRead(file, error as NodeJS.ErrnoException)
  }
  if (rest !== '') yield [rest]
}

/** Strings above 128 KB are beyond V8's quick collection: read in such pieces, a long file piles up in memory. */
const pieceBytes = 64 * 1024
