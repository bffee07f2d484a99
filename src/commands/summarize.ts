import { checkTogether, type SummarizeOptions } from '../config/flags.ts'
import { inShard } from '../core/shard.ts'
import { chooseExit, type Exit, RunError } from '../errors.ts'
import { find } from '../inputs/find.ts'
import type { World } from '../world.ts'
import { askingFor } from './asking.ts'
import { outputFolder } from './destination.ts'
import { namedInputs, nothingFound, rootsOf, walkOptions } from './named-inputs.ts'
import { run } from './run.ts'

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
  const found = await find(inputs, walkOptions(options, world, out))
  if (!found.anything) throw new RunError('noInput', nothingFound(inputs, found.earlier))
  const askingAt = await askingFor(options, { cwd: world.cwd, inputRoots: rootsOf(inputs, world) })

  const { unmatched } = found
  const { shard } = options
  const sources = shard === undefined ? found.sources : inShard(found.sources, shard)
  const purse = {}
  const exit = await run({ sources, unmatched, askingAt, out, start, purse }, options, world, version)
  if (options.digest === undefined || out === undefined || options.dryRun) return exit
  if (exit !== 'ok' && exit !== 'failed') return exit
  const { digest } = await import('./digest.ts')
  const set = { file: options.digest, out, sources, inputRoots: rootsOf(inputs, world), purse }
  return chooseExit([exit, await digest(set, options, world, version)])
}
