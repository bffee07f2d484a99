import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { expect } from 'vitest'
import type { DocumentEntry } from '../../src/core/run/ledger-entry.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { type ProcessResult, runCli } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const apiKey = 'sk-ant-test-0123456789'
export const answer: Behaviour = { kind: 'answer', delayMs: 5 }

/** A response that depends on the working directory of the run. */
export type FolderBehaviour = (cwd: string) => Behaviour

/** A fault that happens while the program summarizes a folder of documents. */
interface Fault {
  /** The simulator's responses to the attempts for `docs/b-<row>.md`, in order; the last one repeats. */
  readonly rows?: Readonly<Record<string, readonly (Behaviour | FolderBehaviour)[]>>
  /** The response to every request, by its number from 0: a fault of the whole run. */
  readonly everything?: (nth: number) => Behaviour
  /** A fault of the whole run on the way to the API: environment variables in addition to the key. */
  readonly environment?: (url: string) => Readonly<Record<string, string>>
  readonly flags?: readonly string[]
  /** Whether the program runs in a separate, slower process. Default: only if a `NODE_` variable is set. */
  readonly apart?: boolean
}

/** The outcome of one document. */
interface Fate {
  /** When its requests were sent, in monotonic milliseconds. */
  readonly sent: readonly number[]
  readonly summary: string | undefined
  readonly record: string | undefined
  /** Its latest entry in the ledger. */
  readonly line: DocumentEntry | undefined
}

export interface Seen extends Omit<ProcessResult, 'signal'> {
  /** The number of requests that the simulator received. */
  readonly requests: number
  readonly fates: Readonly<Record<string, Fate>>
  /** The content of every file below the working directory, by path. */
  readonly files: ReadonlyMap<string, string>
}

/**
 * Runs the program once with each fault, then once without any, and checks what must hold for every fault:
 * documents without a fault get summaries, finished documents are not sent again, no key leaks, and no
 * temporary file remains. The folder also holds the documents `a` and `c`, which have no fault.
 * @returns the result of each run with a fault
 */
export async function withFaults(...faults: readonly Fault[]): Promise<Seen[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'claude-batch-faults-'))
  const rows = faults.flatMap(({ rows = {} }) => Object.keys(rows))
  const names = ['a', ...rows.map((row) => `b-${row}`), 'c']
  let fault: Fault = {}
  let sent: { name: string; at: number }[] = []
  const simulator = await startSimulator({
    script({ request }) {
      const [, name = ''] = /Document (\S+)/.exec(request.lastText) ?? []
      const nth = sent.filter((each) => each.name === name).length
      sent.push({ name, at: performance.now() })
      if (fault.everything !== undefined) return fault.everything(sent.length - 1)
      const steps = fault.rows?.[name.slice('b-'.length)] ?? []
      const step = steps[nth] ?? steps.at(-1) ?? answer
      return typeof step === 'function' ? step(cwd) : step
    },
  })
  const direct = { ANTHROPIC_BASE_URL: simulator.url, ANTHROPIC_API_KEY: apiKey }

  const run = async (now: Fault): Promise<Seen> => {
    fault = now
    sent = []
    const env = { ...direct, ...fault.environment?.(simulator.url) }
    const { flags = [], apart = Object.keys(env).some((name) => name.startsWith('NODE_')) } = fault
    const ended = await (apart ? runCli : runInProcess)(['summarize', 'docs', '--retries', '2', ...flags], {
      cwd,
      env,
    })
    const files = await filesBelow(cwd)
    const lines = (files.get('summaries/.claude-batch/ledger.jsonl') ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as DocumentEntry)
    const fates = names.map((name) => [
      name.replace(/^b-/, ''),
      {
        sent: sent.filter((each) => each.name === name).map(({ at }) => at),
        summary: files.get(`summaries/docs/${name}.md.summary.md`),
        record: files.get(`summaries/docs/${name}.md.error.txt`),
        line: lines.findLast(({ path }) => path === `docs/${name}.md`),
      },
    ])
    const seen = {
      ...ended,
      requests: sent.length,
      files,
      fates: Object.fromEntries(fates) as Record<string, Fate>,
    }
    checkAlways(seen)
    return seen
  }

  try {
    await mkdir(join(cwd, 'docs'))
    for (const name of names) await writeFile(join(cwd, `docs/${name}.md`), textOf(name))
    const seen: Seen[] = []
    for (const each of faults) {
      const now = await run(each)
      const hitsAll = each.everything !== undefined || each.environment !== undefined
      for (const name of hitsAll ? [] : ['a', 'c']) expect(now.fates[name]?.summary).toMatch(whole)
      seen.push(now)
    }
    const flags = faults.at(-1)?.flags ?? []
    // A document that would fail again is sent only on request.
    const redone = await run({ flags: [...flags, '--redo', 'failed'] })
    const repaired = await run({ flags })
    expect(repaired.code).toBe(0)
    for (const [name, { summary, record, sent: sentLast }] of Object.entries(repaired.fates)) {
      const sent = [...(redone.fates[name]?.sent ?? []), ...sentLast]
      const before = seen.at(-1)?.fates[name]?.summary
      if (before === undefined) expect(summary).toMatch(whole)
      else expect(summary).toBe(before)
      expect([name, record, sent.length]).toEqual([name, undefined, before === undefined ? 1 : 0])
    }
    return seen
  } finally {
    await simulator.close()
    await rm(cwd, { recursive: true, force: true })
  }
}

const textOf = (name: string) =>
  `# Document ${name}\n\nThe harbour board of ${name} met in May. It decided to dredge the channel this year.\n`
/** Matches a complete summary of the simulator, with nothing before or after it. */
const whole = /^\[simulated\] .*\.\n$/s

function checkAlways({ stdout, stderr, files }: Seen): void {
  expect(stdout).toBe('')
  expect(stderr).not.toMatch(/\n\s+at /)
  expect(stderr).not.toContain(apiKey)
  for (const [path, text] of files) {
    expect(basename(path)).not.toMatch(/\.tmp$/)
    expect(text).not.toContain(apiKey)
  }
}

async function filesBelow(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files.set(relative(root, path), await readFile(path, 'utf8'))
  }
  return files
}
