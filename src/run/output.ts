import { join, relative, resolve, sep } from 'node:path'
import { setImmediate as nextEventLoopTurn } from 'node:timers/promises'
import { defaultOutputFolder } from '../config/flags/output-flags.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { BatchStore } from '../core/batch/batch-store.ts'
import type { ChunkCache } from '../core/chunking/chunk-cache.ts'
import type { DocumentRef } from '../core/document/document.ts'
import type { DocumentCount } from '../core/document/document-count.ts'
import { stateFolder } from '../core/document/output-path.ts'
import type { TokenHistory } from '../core/estimate/estimate-cost.ts'
import type { OnText } from '../core/request/ask.ts'
import { ledgerFormatVersion, type RunEnd, type RunStart } from '../core/run/ledger-entry.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import type { SummarizeJob } from '../engine/summarize-documents.ts'
import { ExitError, UsageError } from '../errors.ts'
import type { Input } from '../inputs/find/inspect-input.ts'
import type { Runtime } from '../runtime.ts'
import { createJsonlSink } from '../sinks/jsonl-sink.ts'
import { createStreamingSink } from '../sinks/streaming-sink.ts'
import { createTextSink } from '../sinks/text-sink.ts'
import { createChunkCache } from '../storage/chunk-cache-file.ts'
import { openChunkCosts } from '../storage/chunk-costs.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'
import type { UnplacedText } from '../storage/ledger/journal-recovery.ts'
import { lockFolder } from '../storage/lock/lock-folder.ts'
import { createLockOwner } from '../storage/lock/lock-owner.ts'
import { createOutputFolder, probeOutputFolder } from '../storage/output-folder.ts'
import { openOutputState } from '../storage/output-state.ts'
import type { RerunReason } from '../storage/rerun-reason.ts'
import { openStoredBatches } from '../storage/stored-batches.ts'
import { createSummaryInspector } from '../storage/summary-inspector.ts'
import { createSummaryWriter } from '../storage/summary-writer.ts'
import { classifySource } from './classify-source.ts'
import type { RequestBuilder } from './request-builder.ts'

/** Where the outcomes of a run go, and what is there already. */
export interface Output {
  readonly sink: Sink
  readonly pending: readonly DocumentRef[]
  /** Sources whose summary stands. */
  readonly upToDate: readonly DocumentRef[]
  readonly checkConflict?: NonNullable<SummarizeJob['checkConflict']>
  readonly persist?: (outcome: Outcome) => Promise<boolean>
  readonly rerunReasons: ReadonlyMap<RerunReason, DocumentCount>
  /** Where the summary of a document is, or will be, for people; undefined on stdout. */
  readonly formatSummaryPath?: (path: string) => string
  /** What documents of earlier runs came to. */
  readonly history: TokenHistory
  /** How the last run ended that is remembered. */
  readonly lastRunEnd?: RunEnd | undefined
  /** What is remembered of batches; none is on stdout. */
  readonly batchStore?: BatchStore
  /** What is remembered of parts of long documents; nothing is on stdout. */
  readonly chunkCache?: ChunkCache
  /** Whether there is a summary that was asked for like this one. */
  readonly hasSucceededBefore?: (path: string) => boolean
  /** Shows the one summary as it is written. */
  readonly onText?: OnText
  /** Outcomes are written in the order of `todo`; as they finish, if false or left out. */
  readonly isOrdered?: boolean
  /** Begins the run where it is remembered, and names it. */
  readonly runStart: RunStart
  /** Tells what remembers the run how it ended, before the sink is closed. @throws RunError `ioError` */
  recordEnd(line: RunEnd): Promise<void>
  /** After the sink. */
  close(): Promise<void>
}

export interface OutputOptions {
  readonly options: SummarizeOptions
  readonly runtime: Runtime
  readonly requestBuilder: Pick<RequestBuilder, 'prompt' | 'model' | 'getProvenance' | 'structured'>
  /** Of the program. */
  readonly version: string
  /** Of the service that will be asked. */
  readonly baseUrl: string
  /** Aborted: no more waiting for a lock. */
  readonly drainSignal: AbortSignal
}

/** The absolute output folder; undefined for stdout, where a single document on stdin goes by itself. */
export function resolveOutputFolder(
  inputs: readonly Input[],
  options: SummarizeOptions,
  { cwd }: Runtime,
): string | undefined {
  const isOnlyStdin = inputs.length > 0 && inputs.every(({ text, literal }) => text === '-' && !literal)
  const out = options.out ?? (isOnlyStdin ? '-' : defaultOutputFolder)
  if (out === '-') {
    if (options.digest !== undefined) throw new UsageError('--digest needs an output folder: -o DIR')
    if (options.redo !== undefined)
      throw new UsageError('--redo needs an output folder with earlier results: -o DIR')
    if (options.frontMatter) throw new UsageError('--front-matter needs an output folder: -o DIR')
    if (options.sample !== undefined) throw new UsageError('--sample needs an output folder: -o DIR')
    if (options.batch || options.mode === 'batch')
      throw new UsageError('--batch needs an output folder to record its batches: -o DIR')
    return undefined
  }
  if (options.format !== undefined) throw new UsageError('--format is for stdout; use it with -o -')
  if (options.unordered) throw new UsageError('--unordered is for stdout; use it with -o -')
  return resolve(cwd, out)
}

/**
 * Stdout remembers nothing: everything is to do. A single text is shown as it is written, but not into a file, where
 * nobody watches and one that breaks off is better asked for again.
 * @param onWriteError told when the reader has left while a text is shown
 */
export function openStdoutOutput(
  sources: readonly DocumentRef[],
  { options, runtime, requestBuilder, version }: OutputOptions,
  onWriteError: (error: Error) => void,
): Output {
  const { format, unordered } = options
  const { stdout, getStdoutKind } = runtime
  const kind = getStdoutKind()
  if (kind === 'closed')
    throw new ExitError('ioError', 'stdout is closed, so the summaries cannot be written')
  const write = createStreamWriter(stdout, 'stdout')
  const isTerminal = stdout.isTTY === true
  const runStart = createRunStart(runtime.cwd, { options, runtime, requestBuilder, version })
  const history: TokenHistory = new Map()
  const common = {
    runStart,
    history,
    pending: sources,
    upToDate: [],
    rerunReasons: new Map(),
    async recordEnd() {},
    async close() {},
  }
  if (sources.length === 1 && format !== 'jsonl' && kind !== 'file') {
    const sink = createStreamingSink(write, { isTerminal, onWriteError })
    return { ...common, sink, onText: sink.onText }
  }
  const sink =
    format === 'jsonl'
      ? createJsonlSink(write, { structured: requestBuilder.structured })
      : createTextSink(write, { headers: sources.length > 1, isTerminal })
  return { ...common, sink, isOrdered: !unordered }
}

/**
 * The output folder, ours alone until it is closed, and what earlier runs left of the work.
 * @throws RunError `locked`, `ioError`, `usage`; UsageError
 */
export async function openFolderOutput(
  out: string,
  sources: readonly DocumentRef[],
  { options, runtime, requestBuilder, version, baseUrl, drainSignal }: OutputOptions,
): Promise<Output> {
  const { clock } = runtime
  const print = (text: string) => options.quiet || runtime.stderr.write(`claude-batch: ${text}\n`)
  const runStart = createRunStart(out, { options, runtime, requestBuilder, version })
  const { run_id: runId } = runStart

  if (options.frontMatter && requestBuilder.structured)
    throw new UsageError('--front-matter cannot be combined with a JSON schema')
  await createOutputFolder(out)
  const lockOwner = await createLockOwner(runtime.pid, runStart.started_at, runId, {
    command: getCommandName(runtime),
    version,
  })
  const unlock = await lockWithTimeout((options.lockTimeout ?? 0) * 1000, runtime, drainSignal, () =>
    lockFolder(join(out, stateFolder), {
      self: lockOwner,
      isRunning: runtime.isRunning,
      onTakeover: ({ pid, since }) =>
        print(
          `the run that held this folder, process ${pid} since ${escapeControlChars(String(since))}, is dead; took over`,
        ),
    }),
  )
  try {
    const foldsCase = await probeOutputFolder(out, runId)
    const { getProvenance: findProvenance } = requestBuilder
    const batchStore = await openStoredBatches({ out, cwdFromOut: runStart.cwd, baseUrl, clock })
    const chunkCosts = await openChunkCosts(out, runStart, findProvenance)
    const outputState = await openOutputState(out, runStart, {
      onEntry(line, path, by) {
        batchStore.observe(line, path)
        chunkCosts.observe(line, by)
      },
      chunkCosts,
    })
    const { count: lines, paths } = outputState.damaged
    if (lines > 0) runtime.stderr.write(`claude-batch: ${formatLedgerDamage(lines, paths)}\n`)
    if (outputState.damagedJournalLines > 0)
      runtime.stderr.write(`claude-batch: ${formatJournalDamage(outputState.damagedJournalLines, out)}\n`)
    for (const conflict of outputState.unplacedTexts)
      runtime.stderr.write(`claude-batch: ${escapeControlChars(formatConflict(conflict, out))}\n`)
    if (outputState.recoveredCount > 0)
      print(
        `${formatCount(outputState.recoveredCount, 'summary', 'summaries')} paid for by an interrupted run ${outputState.recoveredCount === 1 ? 'is' : 'are'} now in place`,
      )
    const inspector = createSummaryInspector(out, addBatchedSources(sources, batchStore), {
      ledger: outputState,
      findProvenance,
      foldsCase,
      force: options.force,
      redo: options.redo ?? [],
      structured: requestBuilder.structured,
    })
    const writer = createSummaryWriter(out, {
      outputState,
      inspector,
      findProvenance,
      frontMatter: options.frontMatter,
      clock,
    })
    const chunkCache = createChunkCache(out, `${runId}-parts`, chunkCosts)
    const [pending, upToDate]: [DocumentRef[], DocumentRef[]] = [[], []]
    let knownSettingsHashes: ReadonlySet<string> | undefined
    for (const [n, source] of sources.entries()) {
      // A signal must not wait for a hundred thousand of them.
      if (n % 256 === 255) await nextEventLoopTurn()
      const known = classifySource(source, inspector)
      if (known === 'up_to_date') upToDate.push(source)
      else pending.push(known === undefined ? source : { ...source, problem: known })
    }
    return {
      runStart,
      recordEnd: outputState.recordEnd,
      history: outputState.costHistory,
      lastRunEnd: outputState.lastEnd,
      batchStore,
      chunkCache,
      hasSucceededBefore(path) {
        knownSettingsHashes ??= new Set(
          [...outputState.summaries.values()].map(({ settingsHash }) => settingsHash),
        )
        return knownSettingsHashes.has(findProvenance(path).settingsHash)
      },
      formatSummaryPath: (path) => join(relative(runtime.cwd, out) || '.', inspector.getOutput(path).summary),
      sink: writer,
      pending,
      upToDate,
      checkConflict: inspector.checkConflict,
      async persist(outcome) {
        const isPersisted = await writer.persist(outcome)
        await chunkCache.prune(outcome.document.path, outcome.status === 'summarized')
        return isPersisted
      },
      rerunReasons: writer.rerunReasons,
      async close() {
        await chunkCache.close()
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
function addBatchedSources(
  sources: readonly DocumentRef[],
  { openBatches }: BatchStore,
): readonly DocumentRef[] {
  if (openBatches.length === 0) return sources
  const paths = new Set(sources.map(({ path }) => path))
  for (const { items } of openBatches) for (const { path } of items.values()) paths.add(path)
  const addedPaths = [...paths].slice(sources.length)
  return [
    ...sources,
    ...addedPaths.map((path, n) => ({ index: sources.length + n, path, namedByUser: true })),
  ]
}

/** `summarize`, `batches collect` */
function getCommandName({ argv }: Pick<Runtime, 'argv'>): string {
  return argv.slice(0, argv[0] === 'batches' ? 2 : 1).join(' ')
}

/** @param out where it is remembered */
function createRunStart(
  out: string,
  {
    options,
    runtime,
    requestBuilder,
    version,
  }: Pick<OutputOptions, 'options' | 'runtime' | 'requestBuilder' | 'version'>,
): RunStart {
  return {
    type: 'run_start',
    format_version: ledgerFormatVersion,
    started_at: new Date(runtime.clock.wallTime()).toISOString(),
    run_id: Array.from({ length: 12 }, () => Math.floor(runtime.random() * 16).toString(16)).join(''),
    program_version: version,
    cwd: relative(out, runtime.cwd).split(sep).join('/'),
    prompt: requestBuilder.prompt,
    model: requestBuilder.model,
    ...(options.simulate && ({ simulated: true } as const)),
  }
}

const lockRetryMs = 250

async function lockWithTimeout(
  timeoutMs: number,
  { clock, stderr }: Runtime,
  drainSignal: AbortSignal,
  lock: () => Promise<() => Promise<void>>,
): Promise<() => Promise<void>> {
  const end = clock.now() + timeoutMs
  for (let isReported = false; ; isReported = true) {
    try {
      return await lock()
    } catch (error) {
      if (!(error instanceof ExitError) || error.exit !== 'locked') throw error
      if (timeoutMs === 0)
        throw new ExitError('locked', `${error.message}; --lock-timeout SECONDS waits for it`)
      if (clock.now() >= end) throw error
      if (!isReported) stderr.write(`claude-batch: waiting: ${error.message}\n`)
      await clock.sleep(Math.min(lockRetryMs, end - clock.now()), drainSignal)
    }
  }
}

function formatLedgerDamage(lines: number, paths: ReadonlySet<string>): string {
  const [firstPath] = paths
  const pathCount = paths.size < lines ? `${paths.size} about ` : ''
  const more = paths.size > 1 ? ` and ${paths.size - 1} more` : ''
  const details = firstPath === undefined ? '' : ` (${pathCount}${escapeControlChars(firstPath)}${more})`
  return `${formatCount(lines, 'line', 'lines')} of the ledger cannot be read${details} and ${lines === 1 ? 'is' : 'are'} ignored`
}

function formatJournalDamage(lines: number, out: string): string {
  const backup = join(out, stateFolder, 'journal.jsonl.damaged')
  return `${formatCount(lines, 'line', 'lines')} of the journal cannot be read; it may contain a reply that was paid for: see ${backup}`
}

function formatConflict({ intendedPath: place, savedPath: kept }: UnplacedText, out: string): string {
  return `${join(out, place)} exists and is not what an earlier run wrote, so it was not replaced; the reply that an interrupted run had paid for is in ${join(out, kept)}: choose between the two`
}

function formatCount(count: number, singular: string, plural: string): string {
  return `${count} ${count === 1 ? singular : plural}`
}
