import { resolve } from 'node:path'
import type { BatchOptions } from '../../config/batches-flags.ts'
import { adviceFor } from '../../core/advice.ts'
import { AskError } from '../../core/failure.ts'
import { type Exit, RunError } from '../../errors.ts'
import { forgetBatch } from '../../sinks/batch-store.ts'
import type { World } from '../../world.ts'
import { serviceFor } from '../service.ts'
import { nameOf, openIn } from './list.ts'
import { checkEndpoint, never, nobodyElse } from './status.ts'

/**
 * Cancels batches: what they have done by then is billed, and still to be collected. One that the service knows
 * nothing of is given up.
 */
export async function cancelBatches(dir: string, options: BatchOptions, world: World): Promise<Exit> {
  const batches = await openIn(dir, world, options.id)
  const say = (text: string) => void world.stderr.write(`claude-batch: ${text}\n`)
  if (batches.length === 0) {
    say(`no batches in ${dir} are waiting to be collected`)
    return 'ok'
  }
  const service = await serviceFor({ ...options, ...nobodyElse }, world)
  try {
    const { batches: remote } = await service.open()
    for (const batch of batches) {
      checkEndpoint(batch, service.endpoint)
      const { id, intent } = batch
      if (id === undefined)
        throw new RunError(
          'usage',
          `whether the batch ${intent} was ever made is not known yet; claude-batch batches collect finds out`,
        )
      try {
        const { state } = await remote.cancel(id, never)
        say(
          state === 'ended'
            ? `the batch ${id} has ended already; claude-batch batches collect fetches it`
            : `the batch ${id} is being canceled; what it has done by now is billed, and collected by claude-batch batches collect`,
        )
      } catch (error) {
        if (!(error instanceof AskError)) throw error
        if (error.fault.status !== 404)
          throw new RunError('refused', adviceFor(error.fault, '', service.endpoint))
        await forgetBatch(resolve(world.cwd, dir), intent)
        say(
          `the service knows no batch ${nameOf(batch)}: given up; the next run asks about its documents again`,
        )
      }
    }
    return 'ok'
  } finally {
    await service.close()
  }
}
