import type { BatchOptions } from '../../config/batches-flags.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { judge } from '../../core/errors/classify-error.ts'
import { failureLine, failureOf } from '../../core/errors/failure.ts'
import { adviceFor } from '../../core/errors/remediation.ts'
import { duration } from '../../core/text/format-duration.ts'
import { type Exit, UsageError } from '../../errors.ts'
import { serviceFor } from '../../run/connect.ts'
import type { World } from '../../runtime.ts'
import { streamWriter } from '../../storage/fs/stream-writer.ts'
import { textTable } from '../../ui/table.ts'
import { type Known, nameOf, openIn, what } from './list.ts'

/** How the batches of an output folder stand, as the service tells. */
export async function batchesStatus(dir: string, options: BatchOptions, world: World): Promise<Exit> {
  const batches = await openIn(dir, world, options.id)
  const write = streamWriter(world.stdout, 'stdout')
  if (batches.length === 0) {
    await write(`no batches in ${dir} are waiting to be collected\n`)
    return 'ok'
  }
  const service = await serviceFor({ ...options, ...nobodyElse }, world)
  try {
    const { batches: remote } = await service.open()
    const stateOf = async (batch: Known): Promise<string> => {
      if (batch.endpoint !== service.endpoint) return `at ${batch.endpoint}, which is not asked now`
      if (batch.id === undefined) return 'sent, and not heard of since: the next run looks for it'
      const { state, archived, created } = await remote.retrieve(batch.id, never)
      if (archived) return 'ended, its results are gone'
      if (state === 'ended') return 'ended: collect it'
      const age = duration(Math.max(0, world.clock.wall() - created))
      return state === 'canceling' ? 'is being canceled' : `at work for ${age}`
    }
    const rows = [['batch', 'packed', 'documents', 'prompt', 'state']]
    for (const batch of batches) {
      const state = await stateOf(batch).catch((error: unknown) => {
        if (!(error instanceof AskError)) throw error
        const { fault } = error
        return judge(fault).blame === 'run'
          ? adviceFor(fault, '', service.endpoint)
          : failureLine(failureOf(fault))
      })
      rows.push([nameOf(batch), ...what(batch), state])
    }
    await write(textTable(rows))
    return 'ok'
  } finally {
    await service.close()
  }
}

/** What is only for asking models. */
export const nobodyElse = { simulate: false, rpm: undefined, itpm: undefined, otpm: undefined } as const

export const never: AbortSignal = new AbortController().signal

/** @throws UsageError where the batch is at another service than the one that would be asked */
export function checkEndpoint(batch: Known, endpoint: string): void {
  if (batch.endpoint !== endpoint)
    throw new UsageError(
      `the batch ${nameOf(batch)} is at ${batch.endpoint}, and ${endpoint} would be asked; set ANTHROPIC_BASE_URL`,
    )
}
