import { availableParallelism } from 'node:os'
import type { InputProblem } from '../../core/document/document.ts'
import { splitCommandLine } from '../../core/text/split-command-line.ts'
import { type DecodedText, decodeText } from './decode-text.ts'
import { omitEncodedData } from './omit-encoded-data.ts'
import { checkTextLength } from './readers/reader-limits.ts'
import { UnreadableError } from './readers/unreadable-error.ts'
import type { ConverterOptions } from './run-converter.ts'

/** The programs that read documents for the user: command lines by file extension, with `{}` for the path. */
export type ConvertCommands = Readonly<Record<string, string>>

export interface ConvertersOptions extends Omit<ConverterOptions, 'command'> {
  readonly commands: ConvertCommands
  /** The encoding of text that is not UTF-8; see `decodeText`. */
  readonly encoding?: string | undefined
}

/** Reads documents with programs of the user. */
export interface Converters {
  /** Whether a program reads this document. */
  handles(path: string): boolean
  /** Returns the text that the program prints. @param file absolute path */
  convert(file: string): Promise<DecodedText | InputProblem>
}

/** Returns the command line for a document; undefined if no program reads it. */
export function findConvertCommand(commands: ConvertCommands, path: string): string | undefined {
  const extension = /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(commands, extension) ? commands[extension] : undefined
}

/** Returns a reader that runs at most as many programs at the same time as there are processors. */
export function createConverters({ commands, encoding, env, ...options }: ConvertersOptions): Converters {
  const runInTurn = createTurns(availableParallelism())
  const programEnv = withoutCredentials(env)
  return {
    handles: (path) => findConvertCommand(commands, path) !== undefined,
    convert: (file) =>
      runInTurn(async () => {
        const [program, ...args] = splitCommandLine(findConvertCommand(commands, file) ?? '') ?? ['']
        const named = args.map((word) => word.replaceAll('{}', () => file))
        const { runConverter } = await import('./run-converter.ts')
        const printed = await runConverter({ ...options, env: programEnv, command: [program, ...named] })
        if ('action' in printed) return printed
        const decoded = await decodeText(printed, { encoding })
        if ('action' in decoded)
          return { ...decoded, message: `the text of the converter is ${decoded.message}` }
        return checkText({ ...decoded, text: omitEncodedData(decoded.text.replaceAll('\r\n', '\n')) })
      }),
  }
}

function checkText(decoded: DecodedText): DecodedText | InputProblem {
  // Text in UTF-16 may be empty although bytes were printed.
  if (decoded.text.trim() === '')
    return { action: 'fail', type: 'convert_failed', message: 'the converter printed nothing' }
  try {
    checkTextLength(decoded.text.length)
    return decoded
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    return { action: 'fail', type: error.type, message: error.message }
  }
}

/** Variables that contain credentials, or may: a program that reads documents needs none of them. */
const credentialName =
  /^(?:ANTHROPIC|CLAUDE|AWS|AZURE|GOOGLE|GCLOUD|CLOUDSDK|OPENAI)_|KEY|TOKEN|SECRET|PASS|CRED|_(?:AUTH|PAT$|PWD$)/i

/** A URL with a password, such as that of a proxy or a database. */
const urlWithPassword = /:\/\/[^/\s@]*:[^/\s@]+@/

function withoutCredentials(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value = '']) => !credentialName.test(name) && !urlWithPassword.test(value),
    ),
  )
}

/** Returns a function that starts tasks in their order, at most `limit` of them at the same time. */
function createTurns(limit: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
