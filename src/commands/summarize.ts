import { checkFlagCombinations } from '../config/check-flag-combinations.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { pluralize } from '../core/text/format-number.ts'
import { chooseExit, type Exit } from '../errors.ts'
import { findEmptyFolders, findInputs, getInputRoots, parseInputs } from '../run/named-inputs.ts'
import { inspectNamedOutputs, type NamedOutputs } from '../run/named-outputs.ts'
import { loadRequestBuilder } from '../run/request-builder.ts'
import { resolveOutputFolder } from '../run/resolve-output-folder.ts'
import { resolveShard } from '../run/resolve-shard.ts'
import { run } from '../run/run.ts'
import { selectDocuments } from '../run/select-documents.ts'
import type { Runtime } from '../runtime.ts'
import { readShardRecord, type ShardRecord } from '../storage/shard-file.ts'
import { printMessage } from '../ui/print-message.ts'

/**
 * Summarizes documents, and writes a digest if `--digest` asks for one. Checks flags, inputs, prompts and
 * outputs before it writes or sends anything.
 * @throws UsageError, RunError
 */
export async function summarize(
  args: readonly string[],
  options: SummarizeOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  checkFlagCombinations(options)
  const startMs = runtime.clock.now()
  const inputs = await parseInputs(args, options, runtime)
  const out = resolveOutputFolder(inputs, options, runtime)
  const shard = await findShard(out, options, runtime)
  const found = await findInputs(inputs, options, runtime, out)
  const requests = await loadRequestBuilder(options, {
    cwd: runtime.cwd,
    inputRoots: getInputRoots(inputs, runtime),
  })

  const { unmatchedPatterns, notRead } = found
  const selection = await selectDocuments(found, shard, options, out, runtime)
  const { sources, skipped } = selection
  const namedOutputs = await inspectOutputs(selection.found, out, options, runtime)
  try {
    const plan = {
      sources,
      skipped,
      notRead,
      unmatched: unmatchedPatterns,
      emptyFolders: findEmptyFolders(inputs, found.sources, runtime),
      requests,
      out,
      namedOutputs,
      startMs,
      ...(shard !== undefined && { shard }),
    }
    const { exit, unfinished, budget } = await run(plan, options, runtime, version)
    if (options.digest === undefined || out === undefined) return exit
    const print = (text: string) => printMessage(runtime, text)
    if (options.dryRun) {
      if (!options.quiet) print('the estimate does not include the digest, which needs the summaries')
      return exit
    }
    // The run has printed why it ended early.
    if (exit !== 'ok' && exit !== 'failed' && exit !== 'temporaryFailure') return exit
    const missing = sources.filter(({ path }) => unfinished.has(path)).length
    if (missing > 0) {
      print(
        `--digest ${options.digest} was not written, because ${pluralize(missing, 'document')} ${missing === 1 ? 'is' : 'are'} still pending; run the same command again to summarize them and write it`,
      )
      return exit
    }
    const { writeDigests } = await import('../run/digest.ts')
    const { log, digest: digestFile } = namedOutputs
    const digestOptions = {
      name: options.digest,
      namedFile: digestFile,
      out,
      sources,
      inputRoots: getInputRoots(inputs, runtime),
      log,
      budget,
    }
    return chooseExit([exit, await writeDigests(digestOptions, options, runtime, version)])
  } finally {
    namedOutputs.close()
  }
}

/** Returns the shard of the run, and prints what decided it. @throws UsageError */
async function findShard(
  out: string | undefined,
  { shard: setting, quiet }: SummarizeOptions,
  runtime: Runtime,
): Promise<ShardRecord | undefined> {
  if (setting === undefined) return undefined
  const recorded = out === undefined ? undefined : await readShardRecord(out)
  const { shard, origin } = resolveShard(setting, runtime.env, recorded)
  if (origin !== undefined && !quiet)
    printMessage(runtime, `shard ${shard.index} of ${shard.count} (${origin})`)
  return shard
}

/** Checks the output files that flags name. @throws UsageError, ExitError `ioError` */
async function inspectOutputs(
  sources: readonly DocumentRef[],
  out: string | undefined,
  { report, log, digest: name, digestPer, dryRun, force }: SummarizeOptions,
  runtime: Runtime,
): Promise<NamedOutputs> {
  const outputOptions = { report, log, sources, out, isStdoutFree: out !== undefined || dryRun, runtime }
  if (name === undefined || out === undefined) return inspectNamedOutputs(outputOptions)
  const { checkFolderDigests, createDigestCheck } = await import('../run/digest-files.ts')
  const digestOptions = { name, out, sources, cwd: runtime.cwd, options: { digestPer, force } }
  if (digestPer === 'folder') {
    await checkFolderDigests(digestOptions)
    return inspectNamedOutputs(outputOptions)
  }
  return inspectNamedOutputs({
    ...outputOptions,
    digest: { name, objection: createDigestCheck(digestOptions) },
  })
}
