import { providerTraits } from '../core/request/providers.ts'
import { CommandLineError } from '../errors.ts'
import type { SummarizeOptions } from './summarize-flags.ts'

/**
 * Checks the flags that exclude or require each other.
 * @throws CommandLineError
 */
export function checkFlagCombinations(options: SummarizeOptions): void {
  if (options.quiet && options.verbose) throw new CommandLineError('--quiet and --verbose cannot be combined')
  if (options.tokenCount === 'exact' && !options.dryRun)
    throw new CommandLineError('--token-count is an option of --dry-run; add --dry-run')
  if (options.dryRun && options.sample !== undefined)
    throw new CommandLineError('--dry-run and --sample cannot be combined; use one of them')
  if (options.maxCostPer !== undefined && options.out === '-')
    throw new CommandLineError(
      '--max-cost-per adds up the ledger of an output folder, and -o - has none; use --max-cost',
    )
  if (options.batch && options.mode === 'auto')
    throw new CommandLineError('--batch and --mode auto cannot be combined; use one of them')
  if (options.detach && options.digest !== undefined)
    throw new CommandLineError(
      '--digest cannot be combined with --detach, which does not wait for the summaries; add --digest when you collect the batches',
    )
  if (options.detach && !options.batch && options.mode === 'live')
    throw new CommandLineError('--detach is an option of --batch; add --batch')
  if ((options.batch || options.mode !== 'live') && options.sample !== undefined)
    throw new CommandLineError(
      '--sample sends live requests and cannot be combined with --batch; run with --sample first, then with --batch for the rest',
    )
  if (options.detach && options.simulate)
    throw new CommandLineError(
      '--detach cannot be combined with --simulate, whose batches end with this run; remove --detach, or run claude-batch simulate',
    )
  const { label, hasBatches, countsTokens } =
    providerTraits[options.simulate ? 'simulator' : options.provider]
  if (!hasBatches && (options.batch || options.mode === 'batch'))
    throw new CommandLineError(
      `--batch: ${label} has no batches; remove --batch or --mode batch, or choose another --provider`,
    )
  if (!countsTokens && options.tokenCount === 'exact')
    throw new CommandLineError(
      `--token-count exact: ${label} cannot count tokens; use --token-count estimate`,
    )
  if (options.null && options.filesFrom === undefined)
    throw new CommandLineError('-0 is an option of --files-from; add --files-from')
}
