import { readSync } from 'node:fs'
import { dirname } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { setImmediate as nextEventLoopTurn } from 'node:timers/promises'
import { toReadError } from './disk-error.ts'
import { openForReading } from './no-follow-fs.ts'
import { unusablePathError } from './symlinks.ts'

/**
 * Yields a file's lines in groups, one group per read. With one event loop turn per line, 100,000 lines would
 * take longer than reading them. Reading is synchronous, which takes a fifth of the time, but lets other work run after
 * each megabyte. A file that does not exist has no lines.
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
  const fail = (error: NodeJS.ErrnoException): never => {
    throw toReadError(file, error)
  }
  const handle = await openForReading(root, file).catch(fail)
  if (handle === undefined) return
  const decoder = new StringDecoder('utf8')
  const buffer = Buffer.allocUnsafe(readSizeBytes)
  try {
    for (let reads = 1; ; reads++) {
      const size = readNext(handle.fd, buffer, fail)
      if (size === 0) break
      const lines = decoder.write(buffer.subarray(0, size)).split('\n')
      const firstPiece = lines[0] ?? ''
      pieces.push(firstPiece)
      length += firstPiece.length
      if (length > maxLineChars) throw unusablePathError(file, 'it has a line that is far too long')
      if (lines.length > 1) {
        const lastPiece = lines.pop() ?? ''
        lines[0] = pieces.join('')
        yield lines
        pieces = [lastPiece]
        length = lastPiece.length
      }
      if (reads % readsPerTurn === 0) await nextEventLoopTurn()
    }
  } finally {
    await handle.close()
  }
  const rest = pieces.join('') + decoder.end()
  if (rest === '') return
  if (onPartialLine === undefined) yield [rest]
  else onPartialLine(rest)
}

function readNext(descriptor: number, buffer: Buffer, fail: (error: NodeJS.ErrnoException) => never): number {
  try {
    return readSync(descriptor, buffer)
  } catch (error) {
    return fail(error as NodeJS.ErrnoException)
  }
}

const readsPerTurn = 16

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
