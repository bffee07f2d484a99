import { join, relative, resolve, sep } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { SummarizeOptions } from '../config/flags.ts'
import type { BatchStore } from '../core/batch/batch-store.ts'
import type { PartStore } from '../core/chunking/chunk-cache.ts'
import type { Counted } from '../core/document/count-with-example.ts'
import type { Source } from '../core/document/document.ts'
import type { Experience } from '../core/estimate/estimate.ts'
import type { Watch } from '../core/request/ask.ts'
import { type EndLine, ledgerVersion, type RunLine } from '../core/run/ledger-entry.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { printable } from '../core/text/escape-control.ts'
import type { Job } from '../engine/summarize-documents.ts'
import { RunError, UsageError } from '../errors.ts'
import { earlierReport } from '../inputs/find/earlier-output.ts'
import type { Input } from '../inputs/find/inspect-input.ts'
import type { World } from '../runtime.ts'
import { jsonlSink } from '../sinks/jsonl.ts'
import { liveSink } from '../sinks/streaming.ts'
import { textSink } from '../sinks/text.ts'
import { partStore } from '../storage/chunk-cache-folder.ts'
import { openChunkCosts } from '../storage/chunk-costs.ts'
import { streamWriter } from '../storage/fs/stream-writer.ts'
import type { SetAside } from '../storage/ledger/journal-recovery.ts'
import { isDigest } from '../storage/ledger/ledger.ts'
import { lockFolder } from '../storage/lock/lock.ts'
import { holderFor } from '../storage/lock/lock-owner.ts'
import { memoryFolder, prepareFolder, probeFolder } from '../storage/output-folder.ts'
import { openMemory } from '../storage/output-state.ts'
import { openBatches } from '../storage/stored-batches.ts'
import { type Again, filesSink } from '../storage/summary-files.ts'
import type { Asking } from './request-builder.ts'

/** Where the outcomes of a run go, and what is there already. */
export interface Destination {
  readonly sink: Sink
  readonly todo: readonly Source[]
  /** Sources whose summary stands. */
  readonly done: readonly Source[]
  readonly objection?: NonNullable<Job['objection']>
  readonly keep?: (outcome: Outcome) => Promise<boolean>
  readonly again: ReadonlyMap<Again, Counted>
  /** Where the summary of a document is, or will be, for people; undefined on stdout. */
  readonly placeOf?: (path: string) => string
  /** What documents of earlier runs came to. */
  readonly experience: Experience
  /** How the last run ended that is remembered. */
  readonly lastEnd?: EndLine | undefined
  /** What is remembered of batches; none is on stdout. */
  readonly batches?: BatchStore
  /** What is remembered of parts of long documents; nothing is on stdout. */
  readonly parts?: PartStore
  /** Whether there is a summary that was asked for like this one. */
  readonly isProven?: (path: string) => boolean
  /** Shows the one summary as it is written. */
  readonly watch?: Watch
  /** Outcomes are written in the order of `todo`; as they finish, if false or left out. */
  readonly inOrder?: boolean
  /** Begins the run where it is remembered, and names it. */
  readonly run: RunLine
  /** Tells what remembers the run how it ended, before the sink is closed. @throws RunError `io` */
  end(line: EndLine): Promise<void>
  /** After the sink. */
  close(): Promise<void>
}

export interface DestinationOptions {
  readonly options: SummarizeOptions
  readonly world: World
  readonly asking: Pick<Asking, 'prompt' | 'model' | 'factsFor' | 'structured'>
  /** Of the program. */
  readonly version: string
  /** Of the service that will be asked. */
  readonly endpoint: string
  /** Aborted: no more waiting for a lock. */
  readonly drain: AbortSignal
}

/** The absolute output folder; undefined for stdout, where a single document on stdin goes by itself. */
export function outputFolder(
  inputs: readonly Input[],
  options: SummarizeOptions,
  { cwd }: World,
): string | undefined {
  const onlyStdin = inputs.length > 0 && inputs.every(({ text, literal }) => text === '-' && !literal)
  const out = options.out ?? (onlyStdin ? '-' : 'summaries')
  if (out === '-') {
    if (options.digest !== undefined)
      throw new UsageError('--digest is made of summaries in files; give -o a folder for them')
    if (options.frontMatter) throw new UsageError('--front-matter is for files; give -o a folder for them')
    if (options.sample !== undefined)
      throw new UsageError('--sample shows where its summaries are; give -o a folder for them')
    if (options.batch || options.mode === 'batch')
      throw new UsageError('--batch needs a folder that remembers its batches; give -o a folder')
    return undefined
  }
  if (options.format !== undefined) throw new UsageError('--format is for stdout; give -o - with it')
  if (options.unordered) throw new UsageError('--unordered is for stdout; give -o - with it')
  return resolve(cwd, out)
}

/**
 * Stdout remembers nothing: everything is to do. A single text is shown as it is written, but not into a file, where
 * nobody watches and one that breaks off is better asked for again.
 * @param lost told when the reader has left while a text is shown
 */
export function stdoutDestination(
  sources: readonly Source[],
  { options, world, asking, version }: DestinationOptions,
  lost: (error: Error) => void,
): Destination {
  const { format, unordered } = options
  const { stdout, stdoutIs } = world
  const where = stdoutIs()
  if (where === 'closed')
    throw new RunError('io', 'stdout is closed: there is nowhere for the summaries to go')
  const write = streamWriter(stdout, 'stdout')
  const terminal = stdout.isTTY === true
  const run = runLine(world.cwd, { options, world, asking, version })
  const experience: Experience = new Map()
  const common = {
    run,
    experience,
    todo: sources,
    done: [],
    again: new Map(),
    async end() {},
    async close() {},
  }
  if (sources.length === 1 && format !== 'jsonl' && where !== 'file') {
    const sink = liveSink(write, { terminal, lost })
    return { ...common, sink, watch: sink.watch }
  }
  const sink =
    format === 'jsonl'
      ? jsonlSink(write, { structured: asking.structured })
      : textSink(write, { headers: sources.length > 1, terminal })
  return { ...common, sink, inOrder: !unordered }
}

/**
 * The output folder, ours alone until it is closed, and what earlier runs left of the work.
 * @throws RunError `locked`, `io`, `usage`; UsageError
 */
export async function folderDestination(
  out: string,
  sources: readonly Source[],
  { options, world, asking, version, endpoint, drain }: DestinationOptions,
): Promise<Destination> {
  const { clock } = world
  const say = (text: string) => options.quiet || world.stderr.write(`claude-batch: ${text}\n`)
  const begin = runLine(out, { options, world, asking, version })
  const { run } = begin

  if (options.frontMatter && asking.structured)
    throw new UsageError('--front-matter would make the JSON that is asked for none; leave it out')
  await prepareFolder(out)
  const self = await holderFor(world.pid, begin.time, run, { command: commandOf(world), version })
  const unlock = await lockedWithin((options.lockTimeout ?? 0) * 1000, world, drain, () =>
    lockFolder(join(out, memoryFolder), {
      self,
      isRunning: world.isRunning,
      tookOver: ({ pid, since }) =>
        say(
          `the run that held this folder, process ${pid} since ${printable(String(since))}, is dead; took over`,
        ),
    }),
  )
  try {
    const foldsCase = await probeFolder(out, run)
    const { factsFor } = asking
    const batches = await openBatches({ out, here: begin.base, endpoint, clock })
    const chunkCosts = await openChunkCosts(out, begin, factsFor)
    const memory = await openMemory(out, begin, {
      each(line, path, by) {
        batches.saw(line, path)
        chunkCosts.saw(line, by)
      },
      chunkCosts,
    })
    const { lines, paths } = memory.damaged
    if (lines > 0) world.stderr.write(`claude-batch: ${damage(lines, paths)}\n`)
    if (memory.damagedJournal > 0)
      world.stderr.write(`claude-batch: ${journalDamage(memory.damagedJournal, out)}\n`)
    for (const it of memory.setAside) world.stderr.write(`claude-batch: ${printable(notReplaced(it, out))}\n`)
    if (memory.recovered > 0)
      say(
        `${counted(memory.recovered, 'summary', 'summaries')} paid for by a run that was cut short ${memory.recovered === 1 ? 'is' : 'are'} now in place`,
      )
    const files = filesSink(out, withPacked(sources, batches), {
      memory,
      factsFor,
      foldsCase,
      force: options.force,
      frontMatter: options.frontMatter,
      redo: options.redo ?? [],
      structured: asking.structured,
      clock,
    })
    const parts = partStore(out, `${run}-parts`, chunkCosts)
    const [todo, done]: [Source[], Source[]] = [[], []]
    let recipes: ReadonlySet<string> | undefined
    for (const [n, source] of sources.entries()) {
      // A signal must not wait for a hundred thousand of them.
      if (n % 256 === 255) await turn()
      // A run that is not told of a digest may still meet it.
      const isMet = !source.named && isDigest(memory.made.get(source.path)?.run?.prompt)
      if (isMet) todo.push({ ...source, problem: earlierReport })
      else (files.stands(source) ? done : todo).push(source)
    }
    return {
      run: begin,
      end: memory.end,
      experience: memory.experience,
      lastEnd: memory.lastEnd,
      batches,
      parts,
      isProven(path) {
        recipes ??= new Set([...memory.made.values()].map(({ recipe }) => recipe))
        return recipes.has(factsFor(path).recipe)
      },
      placeOf: (path) => join(relative(world.cwd, out) || '.', files.summaryOf(path)),
      sink: files,
      todo,
      done,
      objection: files.objection,
      async keep(outcome) {
        const placed = await files.keep(outcome)
        await parts.settle(outcome.source.path, outcome.status === 'summarized')
        return placed
      },
      again: files.again,
      async close() {
        await parts.close()
        await chunkCosts.close()
        await unlock()
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

/** All that may be written: what is in batches belongs to it, though nobody names it this time. */
function withPacked(sources: readonly Source[], { open }: BatchStore): readonly Source[] {
  if (open.length === 0) return sources
  const paths = new Set(sources.map(({ path }) => path))
  for (const { documents } of open) for (const { path } of documents.values()) paths.add(path)
  const more = [...paths].slice(sources.length)
  return [...sources, ...more.map((path, n) => ({ index: sources.length + n, path, named: true }))]
}

/** `summarize`, `batches collect` */
function commandOf({ argv }: Pick<World, 'argv'>): string {
  return argv.slice(0, argv[0] === 'batches' ? 2 : 1).join(' ')
}

/** @param out where it is remembered */
function runLine(
  out: string,
  { options, world, asking, version }: Pick<DestinationOptions, 'options' | 'world' | 'asking' | 'version'>,
): RunLine {
  return {
    v: ledgerVersion,
    time: new Date(world.clock.wall()).toISOString(),
    run: Array.from({ length: 12 }, () => Math.floor(world.random() * 16).toString(16)).join(''),
    version,
    base: relative(out, world.cwd).split(sep).join('/'),
    prompt: asking.prompt,
    model: asking.model,
    ...(options.simulate && ({ simulated: true } as const)),
  }
}

const lookAgainMs = 250

async function lockedWithin(
  ms: number,
  { clock, stderr }: World,
  drain: AbortSignal,
  lock: () => Promise<() => Promise<void>>,
): Promise<() => Promise<void>> {
  const end = clock.now() + ms
  for (let said = false; ; said = true) {
    try {
      return await lock()
    } catch (error) {
      if (!(error instanceof RunError) || error.exit !== 'locked') throw error
      if (ms === 0) throw new RunError('locked', `${error.message}; --lock-timeout SECONDS waits for it`)
      if (clock.now() >= end) throw error
      if (!said) stderr.write(`claude-batch: waiting: ${error.message}\n`)
      await clock.sleep(Math.min(lookAgainMs, end - clock.now()), drain)
    }
  }
}

function damage(lines: number, paths: ReadonlySet<string>): string {
  const [one] = paths
  const part = paths.size < lines ? `${paths.size} about ` : ''
  const more = paths.size > 1 ? ` and ${paths.size - 1} more` : ''
  const which = one === undefined ? '' : ` (${part}${printable(one)}${more})`
  return `${counted(lines, 'line', 'lines')} of the ledger cannot be read${which} and ${lines === 1 ? 'counts' : 'count'} for nothing`
}

function journalDamage(lines: number, out: string): string {
  const aside = join(out, memoryFolder, 'journal.jsonl.damaged')
  return `${counted(lines, 'line', 'lines')} of the journal cannot be read; a text that was paid for may be in there: see ${aside}`
}

function notReplaced({ place, kept }: SetAside, out: string): string {
  return `${join(out, place)} exists and is not what an earlier run wrote, so it was not replaced; the text that an interrupted run had paid for is in ${join(out, kept)}: choose between the two`
}

function counted(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`
}
