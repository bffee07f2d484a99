import { ExitError } from '../errors.ts'
import { toReadError } from './fs/disk-error.ts'
import { openForReading } from './fs/no-follow-fs.ts'
import { readLines } from './fs/read-lines.ts'

/** The first and last line of a batch's request body. Between them, each request is on a separate line. */
export const bodyStart = '{"requests":['
export const bodyEnd = ']}'

/** Reads the bytes of the request body. @throws ExitError `ioError` */
export async function* streamBatchBody(out: string, file: string): AsyncGenerator<Uint8Array> {
  const handle = await openForReading(out, file).catch((error: NodeJS.ErrnoException) => {
    throw toReadError(file, error)
  })
  if (handle === undefined) throw new ExitError('ioError', `cannot read ${file}: there is no such file`)
  yield* handle.createReadStream({ highWaterMark: 256 * 1024 })
}

/** Reads the requests of the body, without the commas between them. @throws ExitError `ioError` */
export async function* readBodyEntries(out: string, file: string): AsyncGenerator<string> {
  for await (const lines of readLines(file, out))
    for (const line of lines) {
      const entry = line.startsWith(',') ? line.slice(1) : line
      if (entry !== bodyStart && entry !== bodyEnd && entry !== '') yield entry
    }
}
