import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished, vi } from 'vitest'
import { createPdfPageReader } from '../../src/run/read-pdf-pages.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { longWait } from './long-wait.ts'

export const bin = fileURLToPath(new URL('../../bin/claude-batch.js', import.meta.url))

export interface ProcessResult {
  /** Null if a signal ended the process. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** A command that starts the program, such as `setpriv --reuid=65534 …`. */
  readonly launcher?: readonly string[]
  /** Called with the running process. */
  readonly onStart?: (child: ChildProcess) => void
}

/** Runs the built program as a user would. Its environment contains only PATH and `env`. */
export async function runCli(
  args: readonly string[],
  { cwd, env = {}, input, launcher = [], onStart }: RunOptions,
): Promise<ProcessResult> {
  const [command = '', ...rest] = [...launcher, process.execPath, bin, ...args]
  const child = spawn(command, rest, { cwd, env: { PATH: process.env['PATH'], ...env } })
  // Ignored, because a program may end without reading its stdin.
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  onStart?.(child)
  const ended = new Promise<Pick<ProcessResult, 'code' | 'signal'>>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  const [stdout, stderr] = [collectOutput(child.stdout), collectOutput(child.stderr)]
  return { ...(await ended), stdout: stdout(), stderr: stderr() }
}

/** Starts the program and waits until the condition holds. The program is killed when the test ends. */
export async function startCli(
  args: readonly string[],
  options: Omit<RunOptions, 'onStart'>,
  until: () => boolean | Promise<boolean>,
): Promise<{ child: ChildProcess; ended: Promise<ProcessResult> }> {
  const started: ChildProcess[] = []
  const ended = runCli(args, { ...options, onStart: (child) => started.push(child) })
  const [child] = started
  if (child === undefined) throw new Error('it did not start')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  await vi.waitUntil(until, longWait)
  return { child, ended }
}

/** Collects a stream. @returns a function that returns the output so far, even if the stream was cut off */
function collectOutput(stream: Readable): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

/** Creates a temporary folder with these files, which is removed when the test ends. */
export async function createFolder(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  return folder
}

/** Starts a simulator for one test. @returns it and the environment variables that make the program use it */
export async function startService(
  options: SimulatorOptions,
): Promise<{ simulator: Simulator; env: Record<string, string> }> {
  const simulator = await startSimulator({
    latency: { medianMs: 5, sigma: 0 },
    readPdf: createPdfPageReader(),
    ...options,
  })
  onTestFinished(() => simulator.close())
  return { simulator, env: createEnv(simulator) }
}

/** Returns the environment variables that make the program use a simulator. */
export function createEnv({ url }: Pick<Simulator, 'url'>): Record<string, string> {
  return { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-ant-test-0123456789' }
}
