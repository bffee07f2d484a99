import { Worker } from 'node:worker_threads'
import { shipped } from '../../../assets.ts'
import type { InputProblem } from '../../../core/document/document.ts'
import type { Conversion, Converted, convert } from './convert.ts'

export interface ApartOptions {
  /** Milliseconds that one document may take. @default 60 000 */
  readonly longest?: number
  /** Megabytes of what is not buffers. @default 1024 */
  readonly memory?: number
}

/**
 * Reads documents in a thread of its own, one after the other: what takes long holds nobody up meanwhile, and what
 * takes too long, or too much memory, is ended and is a failure of that document. The thread starts with the first
 * document, ends when there was none for a while, and keeps no process alive that has nothing else to do.
 */
export function apart({ longest = 60_000, memory = 1024 }: ApartOptions = {}): typeof convert {
  let thread: ReaderThread | undefined
  let idle: NodeJS.Timeout | undefined
  let last: Promise<unknown> = Promise.resolve()

  const end = () => {
    const ending = thread
    thread = undefined
    return ending?.terminate()
  }
  const one = async (conversion: Conversion): Promise<Converted | InputProblem> => {
    clearTimeout(idle)
    thread ??= startThread(memory)
    const result = await thread.read(conversion, longest)
    if ('broke' in result) await end()
    idle = setTimeout(() => void end(), longestIdle).unref()
    return 'broke' in result ? { as: 'fail', ...result.broke } : result
  }
  return (conversion) => {
    const next = last.then(() => one(conversion))
    last = next.catch(() => {})
    return next
  }
}

/** Milliseconds. */
const longestIdle = 2000

/** As it was built, also for tests: Node 20 runs no TypeScript. */
const script = shipped('../dist/thread.js')

/** What became of one document; `broke`: the thread is of no more use. */
type Result =
  | Converted
  | InputProblem
  | { readonly broke: { readonly type: string; readonly message: string } }

interface ReaderThread {
  /** @param longest milliseconds */
  read(conversion: Conversion, longest: number): Promise<Result>
  terminate(): Promise<unknown>
}

function startThread(memory: number): ReaderThread {
  const worker = new Worker(script, {
    resourceLimits: { maxOldGenerationSizeMb: memory },
    // What libraries have to say is nobody's business here.
    stdout: true,
    stderr: true,
  })
  worker.stdout.resume()
  worker.stderr.resume()
  let told: (result: Result) => void = () => {}
  const broke = (type: string, message: string) => told({ broke: { type, message } })
  worker.on('message', (result: Converted | InputProblem) => told(result))
  worker.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      broke('too_complex', 'reading it took more memory than one document may have')
    else broke('malformed', `it broke its reader: ${error.message}`)
  })
  worker.on('exit', () => broke('malformed', 'it broke its reader'))
  return {
    async read(conversion, longest) {
      const result = new Promise<Result>((resolve) => {
        told = resolve
      })
      const slow = `reading it took longer than ${longest / 1000} s, and was given up`
      const timer = setTimeout(() => broke('too_slow', slow), longest)
      worker.ref()
      worker.postMessage(conversion)
      return result.finally(() => {
        clearTimeout(timer)
        worker.unref()
      })
    },
    terminate: () => worker.terminate(),
  }
}
