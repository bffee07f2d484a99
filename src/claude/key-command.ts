import { basename, sep } from 'node:path'
import { AskError } from '../core/errors/ask-error.ts'
import type { Clock } from '../core/run/clock.ts'

/** The credential of a run, which may change while it runs. */
export interface KeySource {
  /** Returns the key to use now. @throws AskError of kind `credentials` if the program fails */
  getKey(): Promise<string>
  /**
   * Returns a key to use instead of one that the API refused. That is the same key if there is no other.
   * @throws AskError of kind `credentials` if the program fails
   */
  replaceKey(refused: string): Promise<string>
}

export interface KeyCommandOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** How long a key is used before the program runs again, in milliseconds. */
  readonly ttlMs: number
  /** The working directory of the program. */
  readonly cwd: string
  /** The environment of the program. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Pick<Clock, 'now'>
  /** The caller's name for the setting, such as `--key-command`. */
  readonly settingName: string
  /** Called with every key before it is used, so that messages can be cleared of it. */
  readonly onKey: (key: string) => void
}

/**
 * Returns keys that a program prints, such as `gcloud auth print-access-token`. The program runs without a
 * shell and without stdin. What it prints appears in no message: stdout is the key, and stderr may contain
 * it. Messages name only the program, because its arguments may be secret.
 */
export function createKeyCommand(options: KeyCommandOptions): KeySource {
  const { ttlMs, clock, onKey } = options
  let current: { readonly key: string; readonly madeAt: number } | undefined
  let running: Promise<string> | undefined
  const makeKey = () => {
    // Requests in flight at the same time share one run of the program.
    running ??= runKeyCommand(options)
      .then((key) => {
        onKey(key)
        current = { key, madeAt: clock.now() }
        return key
      })
      .finally(() => {
        running = undefined
      })
    return running
  }
  return {
    getKey: async () => {
      if (running !== undefined) return running
      if (current !== undefined && clock.now() - current.madeAt < ttlMs) return current.key
      return makeKey()
    },
    replaceKey: async (refused) =>
      // Another request may have replaced it already.
      current !== undefined && current.key !== refused && running === undefined ? current.key : makeKey(),
  }
}

/** Milliseconds. A vault may ask the user to confirm. */
const timeoutMs = 60_000

/** Bytes. The tokens of cloud providers have a few kilobytes. */
const maxKeyBytes = 64_000

/** Runs the program and returns what it printed, without white space around it. @throws AskError */
async function runKeyCommand({
  command: [program, ...args],
  cwd,
  env,
  settingName,
}: Pick<KeyCommandOptions, 'command' | 'cwd' | 'env' | 'settingName'>): Promise<string> {
  const { execFile } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      const name = JSON.stringify(basename(program))
      const message = `the key command ${name} ${reason}; run it yourself to see why, or change ${settingName}`
      reject(new AskError({ kind: 'credentials', type: 'key_command_failed', message }))
    }
    const execOptions = {
      cwd,
      env,
      timeout: timeoutMs,
      maxBuffer: maxKeyBytes,
      windowsHide: true,
      encoding: 'utf8',
    } as const
    try {
      const child = execFile(program, args, execOptions, (error, stdout) => {
        if (error !== null) return fail(describeFailure(program, error))
        const key = stdout.trim()
        if (key === '') return fail('printed no key')
        if (/[^\x21-\x7e]/.test(key)) return fail('printed more than a key')
        resolve(key)
      })
      child.stdin?.end()
    } catch (error) {
      // Some errors, such as a path through a file, are thrown before the program starts.
      fail(describeFailure(program, error as ExecError))
    }
  })
}

type ExecError = Error & { readonly code?: unknown; readonly signal?: unknown; readonly killed?: boolean }

function describeFailure(program: string, { code, signal, killed }: ExecError): string {
  if (code === 'ENOENT') return sep === '/' ? 'was not found' : `was not found (${batchFileHint})`
  if (code === 'EINVAL' && /\.(?:bat|cmd)$/i.test(program)) return `needs a shell (${batchFileHint})`
  if (code === 'EACCES') return 'may not be run'
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return 'printed more than a key'
  if (killed) return `printed no key within ${timeoutMs / 1000} s`
  if (typeof signal === 'string') return `was ended by ${signal}`
  return typeof code === 'number' ? `failed with exit code ${code}` : `cannot be run (${String(code)})`
}

/** Windows runs a batch file, such as `gcloud.cmd`, only in a shell, and many tools are one. */
const batchFileHint = 'a .cmd or .bat file needs "cmd /c" in front'
