import { resolve } from 'node:path'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import { formatInteger } from '../../core/text/format-number.ts'
import { type Exit, ExitError } from '../../errors.ts'
import { computeCwdFromOut } from '../../run/report-writer.ts'
import type { Runtime } from '../../runtime.ts'
import { createStreamWriter } from '../../storage/fs/stream-writer.ts'
import { listStoredBatches } from '../../storage/stored-batches.ts'
import { formatTable } from '../../ui/text-table.ts'

/** The batches of an output folder that are not collected yet, as far as it remembers them: nobody is asked. */
export async function listBatches(dir: string, runtime: Runtime): Promise<Exit> {
  const batches = await findUncollectedBatches(dir, runtime)
  const rows = batches.map((batch) => [getBatchLabel(batch), ...formatBatchColumns(batch), batch.endpoint])
  const header = ['batch', 'packed', 'documents', 'prompt', 'at']
  await createStreamWriter(
    runtime.stdout,
    'stdout',
  )(rows.length === 0 ? `no batches in ${dir} are waiting to be collected\n` : formatTable([header, ...rows]))
  return 'ok'
}

/** @throws ExitError `noInput` where there is nothing of ours */
export async function findUncollectedBatches(
  dir: string,
  { cwd }: Pick<Runtime, 'cwd'>,
  id?: string,
): Promise<readonly UncollectedBatch[]> {
  const out = resolve(cwd, dir)
  const batches = await listStoredBatches({ out, cwdFromOut: computeCwdFromOut(out, cwd) })
  const found = id === undefined ? batches : batches.filter((batch) => getBatchLabel(batch) === id)
  if (id !== undefined && found.length === 0)
    throw new ExitError('noInput', `no batch ${id} in ${dir}; claude-batch batches list shows them`)
  return found
}

export type UncollectedBatch = Pick<StoredBatch, 'localId' | 'endpoint' | 'sealedAt' | 'items' | 'id'>

/** The service's name, or where that is not known our own. */
export function getBatchLabel({ id, localId }: UncollectedBatch): string {
  return id ?? localId
}

/** When, how many, and how they were asked about. */
export function formatBatchColumns({ sealedAt, items }: UncollectedBatch): string[] {
  const prompts = new Set(
    [...items.values()].map(({ asked: { provenance } }) => `${provenance.prompt}, ${provenance.model}`),
  )
  return [
    `${new Date(sealedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    formatInteger(items.size),
    [...prompts].join('; '),
  ]
}
