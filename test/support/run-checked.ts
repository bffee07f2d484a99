import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type ProcessResult, type RunOptions, runCli } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'

export interface CheckedRun extends Omit<ProcessResult, 'signal'> {
  /** The texts of summaries and error records, by path below the output folder. */
  readonly written: Readonly<Record<string, string>>
}

export interface CheckedRunOptions extends RunOptions {
  /** Runs the program in a separate, slower process: needed if Node's behaviour or the exit matters. */
  readonly inOwnProcess?: boolean
  /** The output folder below `cwd`, as in the arguments. */
  readonly out?: string
  /** Files that the run writes in addition to the output folder. */
  readonly alsoWrites?: readonly string[]
}

/**
 * Runs the program and checks what must hold after every run: no stack trace, no key in any output, complete
 * summaries and error records, no temporary file, no stdout unless results go there, and no change outside
 * the output folder.
 */
export async function runChecked(args: readonly string[], options: CheckedRunOptions): Promise<CheckedRun> {
  const { cwd, out = 'summaries', alsoWrites = [], inOwnProcess = options.onStart !== undefined } = options
  const outPrefix = out === '.' ? '' : `${out}/`
  const isOutput = (path: string) =>
    out === '.'
      ? /^\.claude-batch(\/|$)|\.(summary\.md|error\.txt)$/.test(path)
      : `${path}/`.startsWith(outPrefix)
  const before = await snapshotFolder(cwd)
  const ended = await (inOwnProcess ? runCli : runInProcess)(args, options)
  const after = await snapshotFolder(cwd)

  const { stdout, stderr } = ended
  if (!args.includes('-')) expect(stdout).toBe('')
  expect(stdout + stderr).not.toMatch(/\n\s+at .*[:(]/)
  const key = options.env?.['ANTHROPIC_API_KEY'] || 'sk-ant-'
  expect(stdout + stderr).not.toContain(key)

  const listOutside = (state: ReadonlyMap<string, string>) =>
    [...state].filter(([path]) => !isOutput(path) && !alsoWrites.includes(path))
  expect(listOutside(after)).toEqual(listOutside(before))
  const outputs = [...after.keys()].filter(isOutput)
  expect(outputs.filter((path) => path.endsWith('.tmp'))).toEqual([])

  const written: Record<string, string> = {}
  for (const path of [...outputs, ...alsoWrites]) {
    if (!after.get(path)?.startsWith('file')) continue
    const text = await readFile(join(cwd, path), 'utf8')
    expect(text).not.toContain(key)
    if (path.endsWith('.summary.md')) expect(text).toMatch(/\S.*\n$/)
    if (path.endsWith('.error.txt')) expect(text).toMatch(/^ERROR: \S.*\n/)
    if (isOutput(path) && !path.startsWith(`${outPrefix}.claude-batch/`))
      written[path.slice(outPrefix.length)] = text
  }
  return { ...ended, written }
}

/** Returns the type, size and mtime of each path in a folder. Follows no links; skips unreadable entries. */
async function snapshotFolder(folder: string, subfolder = '', state = new Map<string, string>()) {
  for (const entry of await readdir(join(folder, subfolder), { withFileTypes: true }).catch(() => [])) {
    const path = subfolder === '' ? entry.name : `${subfolder}/${entry.name}`
    const stats = await lstat(join(folder, path)).catch(() => undefined)
    if (stats?.isDirectory()) {
      state.set(path, 'folder')
      await snapshotFolder(folder, path, state)
    } else if (stats !== undefined) {
      state.set(path, `${stats.isFile() ? 'file' : 'other'} ${stats.ino} ${stats.size} ${stats.mtimeMs}`)
    }
  }
  return state
}
