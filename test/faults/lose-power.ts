import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createSeededRandom } from '../../src/simulator/seeded-random.ts'
import {
  type DiskRecording,
  readTree,
  recordDisk,
  replay,
  type Tree,
  writeTree,
} from '../support/power-loss.mjs'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { countedService, docs, filesBelow, ledgerOf, summaryOf } from './invariants.ts'

/** A run that loses its power. */
export interface PowerLossCase {
  /** The documents by path; the name in the sentence is that of the file, without its extension. */
  readonly files: Readonly<Record<string, string>>
  readonly args: readonly string[]
  readonly concurrency: number
  /** Changes the folder before the run, for example by an earlier run. */
  readonly prepare?: (cwd: string, env: Readonly<Record<string, string>>) => Promise<void>
  readonly behaviour?: Parameters<typeof countedService>[0]
  readonly service?: Parameters<typeof countedService>[1]
  /** The names in the requests that the run sends. */
  readonly names: readonly string[]
  /** The names of the documents. Default: as in the requests. */
  readonly documents?: readonly string[]
  /** Checks the summary of a document. Default: it is that of the simulator. */
  readonly expectSummary?: (name: string, text: string) => void
}

/** A run that sends one canary request, and the other documents in a batch. */
export const batchCase: PowerLossCase = {
  files: docs('abcdef'),
  args: ['--batch'],
  concurrency: 1,
  service: { batches: { durationMs: 1, chooseFault: () => undefined } },
  names: [...'abcdef'],
}

/**
 * Records a run, cuts its power at random moments, and lets the next run recover; it may lose its power, too.
 * Checks that no saved result is lost or paid for again, that only requests in flight are, and that all summaries are
 * complete at the end.
 * @param seeds one for each loss of power; the message of a failure contains it
 */
export async function losePower(
  {
    files,
    args,
    concurrency,
    prepare,
    behaviour,
    service,
    names,
    documents = names,
    expectSummary = (name, text) => expect(text).toBe(summaryOf(name)),
  }: PowerLossCase,
  seeds: Iterable<number>,
): Promise<void> {
  let onRequest = (_name: string) => {}
  const { env, hits } = await countedService((name, time) => {
    onRequest(name)
    return behaviour?.(name, time) ?? { kind: 'answer', delayMs: 1 }
  }, service)
  const run = ['summarize', 'docs', ...args, '--concurrency', String(concurrency)]
  const cwd = await createFolder(files)
  await setWholeSeconds(cwd)
  await prepare?.(cwd, env)

  /** Runs the program in a folder, and records it. */
  const record = async (folder: string): Promise<{ recording: DiskRecording; stderr: string }> => {
    const recording = recordDisk(folder)
    onRequest = recording.mark
    try {
      const { code, stderr } = await runInProcess(run, { cwd: folder, env, clockSpeed: 500 })
      expect(code, stderr).toBe(0)
      return { recording, stderr }
    } finally {
      onRequest = () => {}
      recording.stop()
    }
  }
  const { recording } = await record(cwd)
  expect(toText(replay(recording).current()), 'the recording is complete').toEqual(toText(readTree(cwd)))

  const recover = async (tree: Tree, saved: ReadonlySet<string>, requested: readonly string[]) => {
    const folder = await mkdtemp(join(tmpdir(), 'claude-batch-power-'))
    try {
      writeTree(tree, folder)
      const before = hits()
      const next = await record(folder)
      const repeated = names.filter((name) => hits()[name] !== before[name])
      expect(
        repeated.filter((name) => saved.has(name)),
        'saved, and paid for again',
      ).toEqual([])
      expect(
        repeated.filter((name) => requested.includes(name)).length,
        'paid for again',
      ).toBeLessThanOrEqual(concurrency)
      await checkRecovered(folder, next.stderr)
      for (const name of documents)
        expectSummary(name, await readFile(join(folder, `summaries/docs/${name}.md.summary.md`), 'utf8'))
      return next.recording
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  for (const seed of seeds) {
    const random = createSeededRandom(seed)
    let [current, saved] = [recording, new Set<string>()]
    let description = ''
    try {
      do {
        const count = Math.floor(random() * (current.events.length + 1))
        const disk = replay(current, count)
        saved = new Set([...saved, ...listSummarized(disk.current(), recording.initial)])
        const tree = disk.afterPowerLoss(random)
        description += describeLoss(current, count, tree)
        current = await recover(tree, saved, disk.marks())
      } while (random() < 0.3)
    } catch (error) {
      if (error instanceof Error) error.message = `seed ${seed}: ${error.message}${description}`
      throw error
    }
  }
}

/** Describes a loss of power for the message of a failure: the order of operations differs from run to run. */
function describeLoss({ events }: DiskRecording, count: number, tree: Tree): string {
  const last = events.slice(Math.max(0, count - 60), count).map((event) => JSON.stringify(omitBytes(event)))
  const files = [...tree].map(
    ([path, file]) => `${path} ${file?.bytes.toString('latin1').slice(0, 2000) ?? ''}`,
  )
  return `\n\nafter ${count} of ${events.length} operations:\n${last.join('\n')}\n\nleft:\n${files.join('\n')}`
}

function omitBytes(event: object): object {
  return 'bytes' in event ? { ...event, bytes: String(event.bytes).slice(0, 100) } : event
}

/** Returns the names of documents that have a new summary: their replies were saved before. */
function listSummarized(tree: Tree, initial: Tree): string[] {
  return [...tree].flatMap(([path, file]) => {
    const isNew = initial.get(path)?.bytes.equals(file?.bytes ?? Buffer.alloc(0)) !== true
    return (isNew && /(\w+)\.md\.summary\.md$/.exec(path)?.[1]) || []
  })
}

async function checkRecovered(folder: string, stderr: string): Promise<void> {
  expect(stderr).not.toMatch(/\n\s+at |edited|untracked/)
  const files = await filesBelow(folder)
  expect(files.filter((file) => /recovered\/|\.error\.txt$/.test(file))).toEqual([])
  const temporary = files.filter((file) => file.endsWith('.tmp'))
  expect(temporary.filter((file) => !/-probe\.tmp$|\/lock-[\w-]+\.tmp$/i.test(file))).toEqual([])
  const latest = new Map((await ledgerOf(folder, { torn: true })).map((entry) => [entry.path, entry]))
  for (const { output, path } of latest.values()) {
    if (output === undefined) continue
    const bytes = await readFile(join(folder, 'summaries', output.path))
    expect(createHash('sha256').update(bytes).digest('hex'), path).toBe(output.sha256)
  }
}

/** Returns seeds from the first one; the variable SEEDS sets another number of them. */
export function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: Number(process.env['SEEDS'] ?? count) }, (_, n) => first + n)
}

async function setWholeSeconds(cwd: string): Promise<void> {
  for (const file of await filesBelow(cwd)) {
    const seconds = Math.floor((await stat(join(cwd, file))).mtimeMs / 1000)
    await utimes(join(cwd, file), seconds, seconds)
  }
}

function toText(tree: Tree): Record<string, string | undefined> {
  return Object.fromEntries([...tree].map(([path, file]) => [path, file?.bytes.toString('latin1')]))
}
