import { resolve } from 'node:path'
import type { CollectOptions } from '../../config/batches-flags.ts'
import { defaultsOf } from '../../config/flag.ts'
import { summarizeFlags } from '../../config/flags.ts'
import type { Exit } from '../../errors.ts'
import { inspectNamedOutputs } from '../../run/named-outputs.ts'
import { run } from '../../run/run.ts'
import type { World } from '../../runtime.ts'
import { openIn } from './list.ts'

/** Fetches the summaries of batches that have ended, as the run that made them would have. */
export async function collectBatches(
  dir: string,
  { wait, ...options }: CollectOptions,
  world: World,
  version: string,
): Promise<Exit> {
  const batches = await openIn(dir, world)
  const [packed] = batches.flatMap(({ documents }) => [...documents.values()].slice(0, 1))
  if (packed === undefined) {
    world.stderr.write(`claude-batch: no batches in ${dir} are waiting to be collected\n`)
    return 'ok'
  }
  const { facts } = packed.asked
  const asking = {
    ...facts,
    origin: 'as it was asked',
    models: [],
    factsFor: () => facts,
    // The answers are finished by the settings that their batches store.
    answersFor: () => ({ maxTokens: 0 }),
    flaw: () => undefined,
    doubts: () => [],
    structured: false,
    longestFor: () => undefined,
    partsOf: async () => undefined,
    requestFor: () => {
      throw new Error('collecting asks nothing')
    },
  }
  const out = resolve(world.cwd, dir)
  const outputs = await inspectNamedOutputs({ ...options, out, world })
  const plan = {
    sources: [],
    unmatched: [],
    askingAt: () => asking,
    out,
    outputs,
    start: world.clock.now(),
    waits: wait,
  }
  try {
    const { exit } = await run(plan, { ...defaultsOf(summarizeFlags), ...options, out: dir }, world, version)
    return exit
  } finally {
    outputs.close()
  }
}
