import { resolve } from 'node:path'
import type { BatchOptions } from '../../config/batches-flags.ts'
import type { Batches } from '../../core/batch/batch-api.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { adviceFor } from '../../core/errors/remediation.ts'
import { isNotFound } from '../../core/errors/request-error.ts'
import { printable } from '../../core/text/escape-control.ts'
import { chooseExit, type Exit, RunError, UsageError } from '../../errors.ts'
import { serviceFor } from '../../run/connect.ts'
import { lockOutputFolder } from '../../run/lock-output-folder.ts'
import type { World } from '../../runtime.ts'
import { forgetBatch } from '../../storage/stored-batches.ts'
import { type Known, nameOf, openIn } from './list.ts'
import { checkEndpoint, never, nobodyElse } from './status.ts'

/**
 * Cancels batches: what they have done by then is billed, and still to be collected. One that the API does not know is
 * given up, but only where it is named. A batch that cannot be canceled does not keep the others from it.
 */
export async function cancelBatches(
  dir: string,
  options: BatchOptions,
  world: World,
  version: string,
): Promise<Exit> {
  const batches = await openIn(dir, world, options.id)
  const say = (text: string) => void world.stderr.write(`claude-batch: ${printable(text)}\n`)
  if (batches.length === 0) {
    say(`no batches in ${dir} are waiting to be collected`)
    return 'ok'
  }
  const service = await serviceFor({ ...options, ...nobodyElse }, world)
  try {
    const { batches: remote } = await service.open()
    const giveUp =
      options.id === undefined ? undefined : (batch: Known) => givenUp(batch, dir, world, version)
    const exits: Exit[] = ['ok']
    for (const batch of batches) {
      try {
        checkEndpoint(batch, service.endpoint)
        say(await canceled(batch, remote, giveUp))
      } catch (error) {
        const known = error instanceof AskError ? refused(error, service.endpoint) : error
        if (!(known instanceof RunError || known instanceof UsageError)) throw known
        say(known.message)
        exits.push(known.exit)
      }
    }
    return chooseExit(exits)
  } finally {
    await service.close()
  }
}

/** @returns what became of it, for people. @throws AskError; RunError */
async function canceled(
  batch: Known,
  remote: Batches,
  giveUp: ((batch: Known) => Promise<string>) | undefined,
): Promise<string> {
  const { id, intent } = batch
  if (id === undefined)
    throw new RunError(
      'usage',
      `it is not known yet whether the batch ${intent} was created; claude-batch batches collect finds out`,
    )
  try {
    const { state } = await remote.retrieve(id, never)
    // It may end just now, which the API answers with an error.
    const now = state === 'ended' ? state : await remote.cancel(id, never).then(stateOf, endedBy(remote, id))
    return now === 'ended'
      ? `the batch ${id} has ended already; claude-batch batches collect fetches it`
      : `the batch ${id} is being canceled; what it has done by now is billed, and claude-batch batches collect fetches it`
  } catch (error) {
    if (!(error instanceof AskError) || !isNotFound(error.fault)) throw error
    if (giveUp !== undefined) return giveUp(batch)
    throw new RunError(
      'refused',
      `the API does not know the batch ${id}: it was deleted, or created with another account's key; claude-batch batches cancel --id ${id} gives it up`,
    )
  }
}

function stateOf({ state }: { readonly state: string }): string {
  return state
}

function endedBy(remote: Batches, id: string): (error: unknown) => Promise<string> {
  return async (error) => {
    const { state } = await remote.retrieve(id, never)
    if (state === 'ended') return state
    throw error
  }
}

/** Forgets a batch, which no run may be collecting now. */
async function givenUp(batch: Known, dir: string, world: World, version: string): Promise<string> {
  const out = resolve(world.cwd, dir)
  const unlock = await lockOutputFolder(out, world, { command: 'batches cancel', version })
  try {
    await forgetBatch(out, batch.intent)
  } finally {
    await unlock()
  }
  return `the API does not know the batch ${nameOf(batch)}: given up; the next run sends its documents again`
}

function refused({ fault }: AskError, endpoint: string): RunError {
  return new RunError('refused', adviceFor(fault, '', endpoint))
}
