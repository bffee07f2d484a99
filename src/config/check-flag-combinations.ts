import { UsageError } from '../errors.ts'
import type { SummarizeOptions } from './summarize-flags.ts'

/** What one flag's value alone cannot show to be wrong. */
export function checkFlagCombinations(options: SummarizeOptions): void {
  if (options.quiet && options.verbose) throw new UsageError('--quiet and --verbose contradict each other')
  if (options.tokenCount === 'exact' && !options.dryRun)
    throw new UsageError('--token-count says how --dry-run counts; give --dry-run too')
  if (options.dryRun && options.sample !== undefined)
    throw new UsageError('--dry-run sends nothing and --sample sends some; give one of them')
  if (options.dryRun && options.report !== undefined && /\.(md|html)$/i.test(options.report))
    throw new UsageError(`--report ${options.report}: a --dry-run is saved as .json`)
  if (options.batch && options.mode === 'auto')
    throw new UsageError('--batch and --mode auto contradict each other; give one of them')
  if (options.detach && options.digest !== undefined)
    throw new UsageError(
      '--digest needs the summaries, and --detach does not wait for them; leave --digest out, and give it again after collecting the batches',
    )
  if (options.detach && !options.batch && options.mode === 'live')
    throw new UsageError('--detach leaves a batch to itself; give --batch too')
  if ((options.batch || options.mode !== 'live') && options.sample !== undefined)
    throw new UsageError('--sample asks live; give it alone first, and then --batch for the rest')
  if (options.detach && options.simulate)
    throw new UsageError(
      'the simulated service ends with this run, and its batches too; leave --detach out, or run claude-batch simulate',
    )
  if (options.null && options.filesFrom === undefined)
    throw new UsageError('-0 says how --files-from is written; give --files-from too')
}
