import { resolve } from 'node:path'
import type { CollectOptions } from '../../config/batches-flags.ts'
import { getDefaults } from '../../config/flag.ts'
import { summarizeFlags } from '../../config/summarize-flags.ts'
import type { Exit } from '../../errors.ts'
import { inspectNamedOutputs } from '../../run/named-outputs.ts'
import { run } from '../../run/run.ts'
import type { Runtime } from '../../runtime.ts'
import { printMessage } from '../../ui/print-message.ts'
import { findUncollectedBatches, formatNoBatches } from './list.ts'

/** Fetches the summaries of batches that have ended, like the run that submitted them would have done. */
export async function collectBatches(
  dir: string,
  { wait, ...options }: CollectOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const batches = await findUncollectedBatches(dir, runtime)
  const [firstItem] = batches.flatMap(({ items }) => [...items.values()].slice(0, 1))
  if (firstItem === undefined) {
    printMessage(runtime, formatNoBatches(dir))
    return 'ok'
  }
  const { provenance } = firstItem.asked
  const promptChoice = {
    ...provenance,
    promptSource: 'as sent',
    // The run sends no requests.
    models: [],
    // Each batch stores the settings of its answers.
    structured: false,
    citations: false,
    getProvenance: () => provenance,
  }
  const out = resolve(runtime.cwd, dir)
  const namedOutputs = await inspectNamedOutputs({ ...options, out, isStdoutFree: true, runtime })
  const plan = {
    sources: [],
    unmatched: [],
    requests: { promptChoice, requestBuilder: undefined },
    out,
    namedOutputs,
    startMs: runtime.clock.now(),
    shouldWait: wait,
  }
  try {
    const { exit } = await run(
      plan,
      { ...getDefaults(summarizeFlags), ...options, out: dir },
      runtime,
      version,
    )
    return exit
  } finally {
    namedOutputs.close()
  }
}
