import { checkTogether, type SummarizeOptions } from '../config/flags.ts'
import type { Source } from '../core/document/document.ts'
import { inShard } from '../core/document/shard.ts'
import { manyOf } from '../core/text/format-number.ts'
import { chooseExit, type Exit } from '../errors.ts'
import { findInputs, namedInputs, rootsOf } from '../run/named-inputs.ts'
import { inspectNamedOutputs, type NamedOutputs } from '../run/named-outputs.ts'
import { outputFolder } from '../run/output.ts'
import { askingFor } from '../run/request-builder.ts'
import { run } from '../run/run.ts'
import type { World } from '../runtime.ts'

/** Turns documents into summaries. Nothing is written or sent before everything that can be checked was. */
export async function summarize(
  args: readonly string[],
  options: SummarizeOptions,
  world: World,
  version: string,
): Promise<Exit> {
  checkTogether(options)
  const start = world.clock.now()
  const inputs = await namedInputs(args, options, world)
  const out = outputFolder(inputs, options, world)
  const found = await findInputs(inputs, options, world, out)
  const askingAt = await askingFor(options, { cwd: world.cwd, inputRoots: rootsOf(inputs, world) })

  const { unmatched, skipped } = found
  const { shard } = options
  const sources = shard === undefined ? found.sources : inShard(found.sources, shard)
  const outputs = await outputsOf(found.sources, out, options, world)
  try {
    const purse = {}
    const plan = { sources, skipped, unmatched, askingAt, out, outputs, start, purse }
    const { exit, unfinished } = await run(plan, options, world, version)
    if (options.digest === undefined || out === undefined) return exit
    const say = (text: string) => void world.stderr.write(`claude-batch: ${text}\n`)
    if (options.dryRun) {
      if (!options.quiet) say('the digest is not in this estimate: it is made of the summaries')
      return exit
    }
    // What else makes a run end early was reported.
    if (exit !== 'ok' && exit !== 'failed' && exit !== 'later') return exit
    const missing = sources.filter(({ path }) => unfinished.has(path)).length
    if (missing > 0) {
      say(
        `--digest ${options.digest} is not written, as ${manyOf(missing, 'document')} ${missing === 1 ? 'is' : 'are'} not done yet; the same command writes it once they are`,
      )
      return exit
    }
    const { digest } = await import('../run/digest.ts')
    const { log, digest: named } = outputs
    const set = { name: options.digest, named, out, sources, inputRoots: rootsOf(inputs, world), log, purse }
    return chooseExit([exit, await digest(set, options, world, version)])
  } finally {
    outputs.close()
  }
}

/** Checks the files that flags name for writing. @throws UsageError, RunError `io` */
async function outputsOf(
  sources: readonly Source[],
  out: string | undefined,
  { report, log, digest: name, digestPer, force }: SummarizeOptions,
  world: World,
): Promise<NamedOutputs> {
  const named = { report, log, sources, out, world }
  if (name === undefined || out === undefined) return inspectNamedOutputs(named)
  const { checkFolderDigests, objectionToDigest } = await import('../run/digest-files.ts')
  const places = { name, out, sources, cwd: world.cwd, options: { digestPer, force } }
  if (digestPer === 'folder') {
    await checkFolderDigests(places)
    return inspectNamedOutputs(named)
  }
  return inspectNamedOutputs({ ...named, digest: { name, objection: objectionToDigest(places) } })
}
