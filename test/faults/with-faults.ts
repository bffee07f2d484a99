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

/** What goes wrong while the program runs over a folder of documents. */
interface Fault {
  /** What the service does with each sending of `docs/b-<row>.md`, in turn; the last for ever. */
  readonly rows?: Readonly<Record<string, readonly Behaviour[]>>
  /** What it does with everything, by the number of the sending from 0: a fault of the run. */
  readonly everything?: (nth: number) => Behaviour
  /** A fault of the run on the way to the service: what the environment is, beside the key. */
  readonly environment?: (url: string) => Readonly<Record<string, string>>
  readonly flags?: readonly string[]
  /** Whether the program has a process of its own, which takes long to start; as it has where it tells Node something. */
  readonly apart?: boolean
}

/** What became of one document. */
interface Fate {
  /** When it was sent: monotonic milliseconds. */
  readonly sent: readonly number[]
  readonly summary: string | undefined
  readonly record: string | undefined
  /** Its latest line in the ledger. */
  readonly line: DocumentEntry | undefined
}

export interface Seen extends Omit<ProcessResult, 'signal'> {
  /** How many requests the service got. */
  readonly requests: number
  readonly fates: Readonly<Record<string, Fate>>
  /** Every file below the working directory. */
  readonly files: ReadonlyMap<string, string>
}

/**
 * Runs the program with each fault in turn, then once without any, and checks what holds whatever the fault:
 * documents without one have their summaries, what is done is not sent again, no secret gets out, nothing is left
 * lying about. Beside the documents of the rows there are `a` and `c`.
 * @returns what was seen of each run with a fault
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
      return steps[nth] ?? steps.at(-1) ?? answer
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
    const flags = faults.at(-1)?.flags
    const mended = await run(flags === undefined ? {} : { flags })
    expect(mended.code).toBe(0)
    for (const [name, { summary, record, sent }] of Object.entries(mended.fates)) {
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
/** A summary of the simulator with nothing before, after or missing. */
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
