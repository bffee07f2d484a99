import { resolve } from 'node:path'
import { defaultOutputFolder } from '../config/flags/output-flags.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { CommandLineError } from '../errors.ts'
import type { Input } from '../inputs/find/inspect-input.ts'
import type { Runtime } from '../runtime.ts'

/**
 * Returns the absolute output folder; undefined for stdout, which is the default if the only input is stdin.
 * @throws UsageError for a flag that does not apply to the output
 */
export function resolveOutputFolder(
  inputs: readonly Input[],
  options: SummarizeOptions,
  { cwd }: Pick<Runtime, 'cwd'>,
): string | undefined {
  const isOnlyStdin = inputs.length > 0 && inputs.every(({ text, literal }) => text === '-' && !literal)
  const out = options.out ?? (isOnlyStdin ? '-' : defaultOutputFolder)
  if (out === '-') {
    if (options.digest !== undefined) throw new CommandLineError('--digest needs an output folder: -o DIR')
    if (options.redo !== undefined)
      throw new CommandLineError('--redo needs an output folder with earlier results: -o DIR')
    if (options.frontMatter) throw new CommandLineError('--front-matter needs an output folder: -o DIR')
    if (options.sample !== undefined) throw new CommandLineError('--sample needs an output folder: -o DIR')
    if (options.batch || options.mode === 'batch')
      throw new CommandLineError('--batch needs an output folder to record its batches: -o DIR')
    return undefined
  }
  if (options.format !== undefined)
    throw new CommandLineError('--format is for stdout; add -o - or remove it')
  if (options.unordered) throw new CommandLineError('--unordered is for stdout; add -o - or remove it')
  return resolve(cwd, out)
}
