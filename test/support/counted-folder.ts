import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Behaviour } from '../../src/simulator/script.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import type { MessageRequest } from '../../src/simulator/validate-request.ts'
import { createFolder, startService } from './run-cli.ts'
import { type InProcessResult, runInProcess } from './run-in-process.ts'

/** A folder of documents and a server that counts requests. */
export interface CountedFolder {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  readonly simulator: Simulator
  /** Runs the program; `hits` is the number of live requests, batches aside. */
  run(args: readonly string[], options?: RunMore): Promise<InProcessResult & { readonly hits: number }>
  /** Returns all files below a folder, by path. */
  list(folder?: string): Promise<Record<string, string>>
  /** How the server answers from now on, by the text of the request. */
  behave: (text: string, request: MessageRequest) => Behaviour
}

interface RunMore {
  readonly confirmAnswer?: boolean
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** Creates such a folder. @param batchMs how long a batch takes */
export async function createCountedFolder(
  files: Record<string, string | Buffer>,
  batchMs = 5,
): Promise<CountedFolder> {
  const cwd = await createFolder(files)
  const { simulator, env } = await startService({
    script: ({ request }) => folder.behave(request.text, request),
    batches: { durationMs: batchMs, chooseFault: () => undefined },
  })
  const folder: CountedFolder = {
    cwd,
    env,
    simulator,
    behave: () => ({ kind: 'answer', delayMs: 1 }),
    async run(args, { env: moreEnv, ...options } = {}) {
      const before = simulator.stats().requests
      const ended = await runInProcess(args, {
        cwd,
        env: { ...env, ...moreEnv },
        clockSpeed: 500,
        ...options,
      })
      return { ...ended, hits: simulator.stats().requests - before }
    },
    async list(below = '.') {
      const entries = await readdir(join(cwd, below), { recursive: true, withFileTypes: true }).catch(
        () => [],
      )
      const found: Record<string, string> = {}
      for (const entry of entries) {
        const file = join(entry.parentPath, entry.name)
        if (entry.isFile() && !file.includes('.claude-batch/'))
          found[relative(cwd, file)] = await readFile(file, 'utf8')
      }
      return found
    },
  }
  return folder
}
