import { resolve } from 'node:path'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import { whole } from '../../core/text/format-number.ts'
import { type Exit, RunError } from '../../errors.ts'
import { seenFromOut } from '../../run/report-writer.ts'
import type { World } from '../../runtime.ts'
import { streamWriter } from '../../storage/fs/stream-writer.ts'
import { knownBatches } from '../../storage/stored-batches.ts'
import { textTable } from '../../ui/table.ts'

/** The batches of an output folder that are not collected yet, as far as it remembers them: nobody is asked. */
export async function listBatches(dir: string, world: World): Promise<Exit> {
  const batches = await openIn(dir, world)
  const rows = batches.map((batch) => [nameOf(batch), ...what(batch), batch.endpoint])
  const head = ['batch', 'packed', 'documents', 'prompt', 'at']
  await streamWriter(
    world.stdout,
    'stdout',
  )(rows.length === 0 ? `no batches in ${dir} are waiting to be collected\n` : textTable([head, ...rows]))
  return 'ok'
}

/** @throws RunError `noInput` where there is nothing of ours */
export async function openIn(
  dir: string,
  { cwd }: Pick<World, 'cwd'>,
  id?: string,
): Promise<readonly Known[]> {
  const out = resolve(cwd, dir)
  const batches = await knownBatches({ out, here: seenFromOut(out, cwd) })
  const found = id === undefined ? batches : batches.filter((batch) => nameOf(batch) === id)
  if (id !== undefined && found.length === 0)
    throw new RunError('noInput', `no batch ${id} in ${dir}; claude-batch batches list shows them`)
  return found
}

export type Known = Pick<StoredBatch, 'intent' | 'endpoint' | 'packed' | 'documents' | 'id'>

/** The service's name, or where that is not known our own. */
export function nameOf({ id, intent }: Known): string {
  return id ?? intent
}

/** When, how many, and how they were asked about. */
export function what({ packed, documents }: Known): string[] {
  const prompts = new Set(
    [...documents.values()].map(({ asked: { facts } }) => `${facts.prompt}, ${facts.model}`),
  )
  return [
    `${new Date(packed).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    whole(documents.size),
    [...prompts].join('; '),
  ]
}
