import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { resolveAsset } from '../../../assets.ts'
import type { InputProblem } from '../../../core/document/document.ts'
import type { ConversionRequest, ConvertedText, convertDocument } from './convert-document.ts'
import { createTimeBudget, type TimeBudget, type TimeSources } from './time-budget.ts'

export interface WorkerReaderOptions extends TimeSources {
  /** Maximum milliseconds for one document, without time in which the thread did not run. @default 60 000 */
  readonly timeoutMs?: number
  /** Maximum heap in megabytes, without buffers. @default 1024 */
  readonly memoryMb?: number
  /** Ends the thread when it is aborted. A document that is being read then fails. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Returns a function that reads documents in a worker thread, one after the other, so that a slow document
 * does not block the event loop. A document that takes too much time or memory is aborted and fails. The
 * thread starts with the first document, ends after an idle time, and does not keep the process alive.
 */
export function createThreadReader({
  timeoutMs = 60_000,
  memoryMb = 1024,
  signal,
  ...timeSources
}: WorkerReaderOptions = {}): typeof convertDocument {
  let thread: ReaderThread | undefined
  let idleTimer: NodeJS.Timeout | undefined
  let lastRead: Promise<unknown> = Promise.resolve()

  const endThread = () => {
    const ending = thread
    thread = undefined
    return ending?.terminate()
  }
  signal?.addEventListener('abort', () => void endThread(), { once: true })
  const readOne = async (conversion: ConversionRequest): Promise<ConvertedText | InputProblem> => {
    clearTimeout(idleTimer)
    thread ??= startThread(memoryMb)
    const tickMs = timeoutMs / ticksPerDocument
    const result = await thread.read(conversion, createTimeBudget(timeoutMs, tickMs, timeSources), tickMs)
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

/** Milliseconds without a document after which the thread ends. */
const maxIdleMs = 2000

/** How often the time of a document is checked within its limit. */
const ticksPerDocument = 60

/**
 * Whether the files of the package that readers need are where this module expects them. They are not if a bundler has
 * put this module into another program.
 */
export function hasReaderFiles(): boolean {
  try {
    return existsSync(resolveAsset('../dist/character-maps.br'))
  } catch {
    // Bundlers that write CommonJS remove the URL of the module.
    return false
  }
}

/** The result of one document. After `crashed`, the thread cannot be used again. */
type WorkerResult =
  | ConvertedText
  | InputProblem
  | { readonly crashed: { readonly type: string; readonly message: string } }

interface ReaderThread {
  /** Reads one document. @param tickMs milliseconds between two checks of the budget */
  read(conversion: ConversionRequest, budget: TimeBudget, tickMs: number): Promise<WorkerResult>
  terminate(): Promise<unknown>
}

function startThread(memoryMb: number): ReaderThread {
  // The built script, also in tests, because Node 20 does not run TypeScript.
  const worker = new Worker(resolveAsset('../dist/thread.js'), {
    // Some flags of the program are errors here, such as --input-type.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    // Output of libraries is discarded.
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
    async read(conversion, budget, tickMs) {
      const result = new Promise<WorkerResult>((resolve) => {
        onResult = resolve
      })
      const timer = setInterval(() => {
        const limitMs = budget.findExceededLimit()
        if (limitMs !== undefined)
          reportCrash('too_slow', `reading it took longer than ${limitMs / 1000} s, and was aborted`)
      }, tickMs)
      worker.ref()
      worker.postMessage(conversion)
      return result.finally(() => {
        clearInterval(timer)
        worker.unref()
      })
    },
    terminate: () => worker.terminate(),
  }
}
