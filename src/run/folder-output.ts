import { join, relative } from 'node:path'
import { setImmediate as nextEventLoopTurn } from 'node:timers/promises'
import type { BatchStore } from '../core/batch/batch-store.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { isOutputOf, summarySuffix } from '../core/document/output-path.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { pluralize } from '../core/text/format-number.ts'
import { CommandLineError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { addFrontMatter } from '../storage/add-front-matter.ts'
import { createChunkCache } from '../storage/chunk-cache-file.ts'
import { openChunkCosts } from '../storage/chunk-costs.ts'
import { countMissingDocuments } from '../storage/count-missing.ts'
import { createCitationIndex } from '../storage/ledger/citation-index.ts'
import { createOutputFolder, probeOutputFolder } from '../storage/output-folder.ts'
import { openOutputState } from '../storage/output-state.ts'
import { createReusableSummaries } from '../storage/reusable-summaries.ts'
import { openStoredBatches } from '../storage/stored-batches.ts'
import { createSummaryWriter } from '../storage/summary-writer.ts'
import { printMessage } from '../ui/print-message.ts'
import { classifySource } from './classify-source.ts'
import { createRunStart } from './create-run-start.ts'
import { createEarlierResultFinder } from './find-earlier-result.ts'
import { formatRecoveredNote, formatRecoveryWarnings } from './format-recovery.ts'
import { type FolderInspection, inspectFolder } from './inspect-folder.ts'
import { lockOutputFolder } from './lock-output-folder.ts'
import type { FolderOutput, Output, OutputOptions } from './output.ts'
import type { PromptChoice } from './request-builder.ts'

/**
 * Opens an output folder, locks it until the output is closed, and recovers the results of an interrupted
 * run.
 * @param out the output folder; absolute
 * @throws ExitError `locked`, `ioError`, `usage`; UsageError
 */
export async function openFolderOutput(
  out: string,
  sources: readonly DocumentRef[],
  outputOptions: OutputOptions,
): Promise<FolderOutput> {
  const { options, runtime, promptChoice, version, drainSignal } = outputOptions
  if (options.frontMatter && promptChoice.structured)
    throw new CommandLineError('--front-matter cannot be combined with a JSON schema')
  const runStart = createRunStart(out, outputOptions)
  await createOutputFolder(out)
  const unlock = await lockOutputFolder(out, runtime, {
    command: getCommandName(runtime),
    version,
    since: runStart.started_at,
    nonce: runStart.run_id,
    quiet: options.quiet,
    wait: { timeoutMs: (options.lockTimeout ?? 0) * 1000, signal: drainSignal },
  })
  try {
    return await openLockedFolder(out, sources, { ...outputOptions, runStart, unlock })
  } catch (error) {
    await unlock()
    throw error
  }
}

async function openLockedFolder(
  out: string,
  sources: readonly DocumentRef[],
  {
    options,
    runtime,
    promptChoice,
    baseUrl,
    drainSignal,
    runStart,
    unlock,
  }: OutputOptions & { readonly runStart: FolderOutput['runStart']; readonly unlock: () => Promise<void> },
): Promise<FolderOutput> {
  const { clock } = runtime
  const { run_id: runId } = runStart
  const { getProvenance: findProvenance } = promptChoice
  const foldsCase = await probeOutputFolder(out, runId)
  const batchStore = await openStoredBatches({ out, cwdFromOut: runStart.cwd, baseUrl, clock })
  const chunkCosts = await openChunkCosts(out, runStart, findProvenance)
  const outputState = await openOutputState(out, runStart, {
    onEntry(entry, path, run) {
      batchStore.observe(entry, path)
      chunkCosts.observe(entry, run)
    },
    chunkCosts,
  })
  for (const text of formatRecoveryWarnings(outputState, out)) printMessage(runtime, text)
  const recoveredNote = formatRecoveredNote(outputState)
  if (recoveredNote !== undefined && !options.quiet) printMessage(runtime, recoveredNote)
  const allSources = addBatchedSources(sources, batchStore, runtime.cwd)
  const inspection = inspectFolder(out, allSources, outputState, foldsCase, {
    options,
    promptChoice,
    baseUrl,
  })
  const { inspector, earlier } = inspection
  const { summaries } = outputState
  if (options.frontMatter) {
    const paths = sources.flatMap(({ path }) => (earlier.isKeptFromSimulation(path) ? [] : [path]))
    const count = await addFrontMatter(out, paths, {
      outputState,
      cwdFromOut: runStart.cwd,
      clock,
      drainSignal,
    })
    if (count > 0 && !options.quiet)
      printMessage(runtime, `front matter was added to ${pluralize(count, 'summary', 'summaries')}`)
  }
  const reusable = createReusableSummaries(out, {
    summaries,
    earlier,
    cwd: runtime.cwd,
    citationIndex: promptChoice.citations ? createCitationIndex(out) : undefined,
  })
  const { frontMatter, footnotes } = options
  const sink = createSummaryWriter(out, {
    outputState,
    inspector,
    reusable,
    findProvenance,
    frontMatter,
    footnotes,
    clock,
  })
  const chunkCache = createChunkCache(out, `${runId}-parts`, chunkCosts)
  const persist = async (outcome: Outcome) => {
    const isPersisted = await sink.persist(outcome)
    // A simulated run keeps the chunks that were paid for.
    await chunkCache.prune(outcome.document.path, outcome.status === 'summarized' && !options.simulate)
    return isPersisted
  }
  return {
    runStart,
    sink,
    ...(await splitSources(
      sources,
      inspection,
      batchStore.openBatches.filter(({ endpoint }) => endpoint === baseUrl),
    )),
    findEarlierResult: createEarlierResultFinder(out, inspection, reusable, summaries),
    persist,
    onText: undefined,
    isOrdered: false,
    folder: {
      history: outputState.costHistory,
      lastRunEnd: outputState.lastEnd,
      rerunReasons: sink.rerunReasons,
      batchStore,
      chunkCache,
      hasSucceededBefore: createSuccessLookup(outputState, findProvenance),
      formatSummaryPath: (path) => join(relative(runtime.cwd, out) || '.', inspector.getOutput(path).summary),
      checkConflict: inspector.checkConflict,
      persist,
      isOnlySettingsChanged: earlier.isOnlySettingsChanged,
      countMissing: (folder) => countMissingDocuments(folder, summaries.keys(), runtime.cwd),
      findRun: (path) => summaries.get(path)?.run,
      recordEnd: outputState.recordEnd,
    },
    async close() {
      await chunkCache.close()
      await chunkCosts.close()
      await unlock()
    },
  }
}

/**
 * Adds the documents of open batches: the run may write their summaries even if they are not among its
 * inputs.
 */
function addBatchedSources(
  sources: readonly DocumentRef[],
  { openBatches }: BatchStore,
  cwd: string,
): readonly DocumentRef[] {
  if (openBatches.length === 0) return sources
  const documents = new Map(sources.map((source) => [source.path, source]))
  for (const { path, mirroredPath } of openBatches.flatMap(({ items }) => [...items.values()])) {
    if (documents.has(path)) continue
    // A batch file may have been edited. It must not choose any other file of the folder.
    const isPlausible = mirroredPath !== undefined && isOutputOf(`${mirroredPath}${summarySuffix}`, path, cwd)
    const place = isPlausible ? { mirroredPath } : {}
    documents.set(path, { index: documents.size, path, ...place, namedByUser: true })
  }
  return [...documents.values()]
}

/**
 * Separates the documents that the run works on from those whose summary is kept.
 * @param ownBatches the open batches that the run collects
 */
async function splitSources(
  sources: readonly DocumentRef[],
  inspection: FolderInspection,
  ownBatches: BatchStore['openBatches'],
): Promise<Pick<Output, 'pending' | 'upToDate' | 'otherSettings'>> {
  const [pending, upToDate]: [DocumentRef[], DocumentRef[]] = [[], []]
  const [changed, unclear]: [DocumentRef[], DocumentRef[]] = [[], []]
  const batchedPaths = new Set(ownBatches.flatMap(({ items }) => [...items.values()].map(({ path }) => path)))
  for (const [n, source] of sources.entries()) {
    // A signal must be handled before all of up to 100,000 documents are classified.
    if (n % 256 === 255) await nextEventLoopTurn()
    const sourceClass = classifySource(source, inspection)
    if (sourceClass === 'up_to_date') upToDate.push(source)
    else if (sourceClass === undefined || batchedPaths.has(source.path)) pending.push(source)
    else if (sourceClass === 'other_settings') changed.push(source)
    else if (sourceClass === 'unclear_settings') unclear.push(source)
    else pending.push({ ...source, problem: sourceClass })
  }
  return { pending, upToDate, otherSettings: { changed, unclear } }
}

/**
 * Returns a function that checks whether any summary was made with the settings this run uses for a document.
 */
function createSuccessLookup(
  { summaries }: Pick<Awaited<ReturnType<typeof openOutputState>>, 'summaries'>,
  findProvenance: PromptChoice['getProvenance'],
): (path: string) => boolean {
  let settingsHashes: ReadonlySet<string> | undefined
  return (path) => {
    settingsHashes ??= new Set([...summaries.values()].map(({ settingsHash }) => settingsHash))
    return settingsHashes.has(findProvenance(path).settingsHash)
  }
}

/** Returns the command without its arguments: `summarize`, `batches collect`. */
function getCommandName({ argv }: Pick<Runtime, 'argv'>): string {
  return argv.slice(0, argv[0] === 'batches' ? 2 : 1).join(' ')
}
