import { checkFlagCombinations } from '../config/check-flag-combinations.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { selectShard } from '../core/document/shard.ts'
import { pluralize } from '../core/text/format-number.ts'
import { chooseExit, type Exit } from '../errors.ts'
import { findInputs, getInputRoots, parseInputs } from '../run/named-inputs.ts'
import { inspectNamedOutputs, type NamedOutputs } from '../run/named-outputs.ts'
import { loadRequestBuilder } from '../run/request-builder.ts'
import { resolveOutputFolder } from '../run/resolve-output-folder.ts'
import { run } from '../run/run.ts'
import type { Runtime } from '../runtime.ts'
import { printMessage } from '../ui/print-message.ts'

/** Turns documents into summaries. Nothing is written or sent before everything that can be checked was. */
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
  const found = await findInputs(inputs, options, runtime, out)
  const requests = await loadRequestBuilder(options, {
    cwd: runtime.cwd,
    inputRoots: getInputRoots(inputs, runtime),
  })

  const { unmatchedPatterns, skipped } = found
  const { shard } = options
  const sources = shard === undefined ? found.sources : selectShard(found.sources, shard)
  const namedOutputs = await inspectOutputs(found.sources, out, options, runtime)
  try {
    const plan = {
      sources,
      skipped,
      unmatched: unmatchedPatterns,
      requests,
      out,
      namedOutputs,
      startMs,
    }
    const { exit, unfinished, budget } = await run(plan, options, runtime, version)
    if (options.digest === undefined || out === undefined) return exit
    const print = (text: string) => printMessage(runtime, text)
    if (options.dryRun) {
      if (!options.quiet) print('the estimate does not include the digest, which needs the summaries')
      return exit
    }
    // What else makes a run end early was reported.
    if (exit !== 'ok' && exit !== 'failed' && exit !== 'temporaryFailure') return exit
    const missing = sources.filter(({ path }) => unfinished.has(path)).length
    if (missing > 0) {
      print(
        `--digest ${options.digest} is not written, as ${pluralize(missing, 'document')} ${missing === 1 ? 'is' : 'are'} still pending; the same command writes it once they are summarized`,
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

/** Checks the files that flags name for writing. @throws UsageError, ExitError `ioError` */
async function inspectOutputs(
  sources: readonly DocumentRef[],
  out: string | undefined,
  { report, log, digest: name, digestPer, force }: SummarizeOptions,
  runtime: Runtime,
): Promise<NamedOutputs> {
  const outputOptions = { report, log, sources, out, runtime }
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
