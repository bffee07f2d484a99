import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { computeCwdFromOut } from '../core/document/document-path.ts'
import { ledgerFormatVersion, type RunStart } from '../core/run/ledger-entry.ts'
import { truncate } from '../core/text/truncate.ts'
import type { Runtime } from '../runtime.ts'
import type { PromptChoice } from './request-builder.ts'

export interface RunStartOptions {
  readonly options: Pick<SummarizeOptions, 'simulate' | 'provider'>
  readonly runtime: Pick<Runtime, 'clock' | 'random' | 'cwd'>
  readonly promptChoice: Pick<PromptChoice, 'prompt' | 'model' | 'instructions'>
  /** The version of claude-batch. */
  readonly version: string
}

/**
 * Creates the ledger entry for the start of a run, with a new run id.
 * @param out the folder that the entry's working directory is relative to; absolute
 */
export function createRunStart(
  out: string,
  { options, runtime, promptChoice, version }: RunStartOptions,
): RunStart {
  return {
    type: 'run_start',
    format_version: ledgerFormatVersion,
    started_at: new Date(runtime.clock.wallTime()).toISOString(),
    run_id: Array.from({ length: 12 }, () => Math.floor(runtime.random() * 16).toString(16)).join(''),
    program_version: version,
    cwd: computeCwdFromOut(out, runtime.cwd),
    prompt: promptChoice.prompt,
    ...(promptChoice.instructions !== undefined && {
      instructions: truncate(promptChoice.instructions, 500),
    }),
    model: promptChoice.model,
    ...(options.simulate && ({ simulated: true } as const)),
    ...(!options.simulate && options.provider !== 'anthropic' && { provider: options.provider }),
  }
}
