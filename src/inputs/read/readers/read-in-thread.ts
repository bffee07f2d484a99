import { Worker } from 'node:worker_threads'
import { resolveAsset } from '../../../assets.ts'
import type { InputProblem } from '../../../core/document/document.ts'
import type { ConversionRequest, ConvertedText, convertDocument } from './convert-document.ts'

export interface WorkerReaderOptions {
  /** Milliseconds that one document may take. @default 60 000 */
  readonly timeoutMs?: number
  /** Megabytes of what is not buffers. @default 1024 */
  readonly memoryMb?: number
}

/**
 * Reads documents in a thread of its own, one after the other: what takes long holds nobody up meanwhile, and what
 * takes too long, or too much memory, is ended and is a failure of that document. The thread starts with the first
 * document, ends when there was none for a while, and keeps no process alive that has nothing else to do.
 */
export function createThreadReader({
  timeoutMs = 60_000,
  memoryMb = 1024,
}: WorkerReaderOptions = {}): typeof convertDocument {
  let thread: ReaderThread | undefined
  let idleTimer: NodeJS.Timeout | undefined
  let lastRead: Promise<unknown> = Promise.resolve()

  const endThread = () => {
    const ending = thread
    thread = undefined
    return ending?.terminate()
  }
  const readOne = async (conversion: ConversionRequest): Promise<ConvertedText | InputProblem> => {
    clearTimeout(idleTimer)
    thread ??= startThread(memoryMb)
    const result = await thread.read(conversion, timeoutMs)
    if ('crashed' in result) await endThread()
    idleTimer = setTimeout(() => void endThread(), maxIdleMs).unref()
    return 'crashed' in result ? { action: 'fail', ...result.crashed } : result
  }
  return (conversion) => {
    const next = lastRead.then(() => readOne(conversion))
    lastRead = next.catch(() => {})
    return next
  }
}

/** Milliseconds. */
const maxIdleMs = 2000

/** As it was built, also for tests: Node 20 runs no TypeScript. */
const threadScript = resolveAsset('../dist/thread.js')

/** What became of one document; `broke`: the thread is of no more use. */
type WorkerResult =
  | ConvertedText
  | InputProblem
  | { readonly crashed: { readonly type: string; readonly message: string } }

interface ReaderThread {
  /** @param timeoutMs milliseconds */
  read(conversion: ConversionRequest, timeoutMs: number): Promise<WorkerResult>
  terminate(): Promise<unknown>
}

function startThread(memoryMb: number): ReaderThread {
  const worker = new Worker(threadScript, {
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    // What libraries have to say is nobody's business here.
    stdout: true,
    stderr: true,
  })
  worker.stdout.resume()
  worker.stderr.resume()
  let onResult: (result: WorkerResult) => void = () => {}
  const reportCrash = (type: string, message: string) => onResult({ crashed: { type, message } })
  worker.on('message', (result: ConvertedText | InputProblem) => onResult(result))
  worker.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      reportCrash('too_complex', 'reading it took more memory than one document may have')
    else reportCrash('malformed', `the reader crashed on it: ${error.message}`)
  })
  worker.on('exit', () => reportCrash('malformed', 'the reader crashed on it'))
  return {
    async read(conversion, timeoutMs) {
      const result = new Promise<WorkerResult>((resolve) => {
        onResult = resolve
      })
      const slowMessage = `reading it took longer than ${timeoutMs / 1000} s, and was aborted`
      const timer = setTimeout(() => reportCrash('too_slow', slowMessage), timeoutMs)
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
