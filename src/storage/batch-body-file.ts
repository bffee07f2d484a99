import { ExitError } from '../errors.ts'
import { toReadError } from './fs/disk-error.ts'
import { openForReading } from './fs/no-follow-fs.ts'
import { readLines } from './fs/read-lines.ts'

/** The body of a new batch as it is sent: between these two lines, each request is on a line of its own. */
export const bodyStart = '{"requests":['
export const bodyEnd = ']}'

/** Reads the body as it is sent. @throws ExitError `ioError` */
export async function* streamBatchBody(out: string, file: string): AsyncGenerator<Uint8Array> {
  const handle = await openForReading(out, file).catch((error: NodeJS.ErrnoException) => {
    throw toReadError(file, error)
  })
  if (handle === undefined) throw new ExitError('ioError', `cannot read ${file}: there is no such file`)
  yield* handle.createReadStream({ highWaterMark: 256 * 1024 })
}

/** Reads the requests in the body, without the commas that separate them. @throws ExitError `ioError` */
export async function* readBodyEntries(out: string, file: string): AsyncGenerator<string> {
  for await (const lines of readLines(file, out))
    for (const line of lines) {
      const entry = line.startsWith(',') ? line.slice(1) : line
      if (entry !== bodyStart && entry !== bodyEnd && entry !== '') yield entry
    }
}
