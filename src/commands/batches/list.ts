import { resolve } from 'node:path'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import { computeCwdFromOut } from '../../core/document/document-path.ts'
import { formatInteger } from '../../core/text/format-number.ts'
import { quoteShellWord } from '../../core/text/quote-shell-word.ts'
import { type Exit, ExitError } from '../../errors.ts'
import type { Runtime } from '../../runtime.ts'
import { createStreamWriter } from '../../storage/fs/stream-writer.ts'
import { hasLedger } from '../../storage/output-folder.ts'
import { listStoredBatches } from '../../storage/stored-batches.ts'
import { formatTable } from '../../ui/text-table.ts'

/** Prints the batches stored in an output folder that are not collected yet. Sends no requests. */
export async function listBatches(dir: string, runtime: Runtime): Promise<Exit> {
  const batches = await findUncollectedBatches(dir, runtime)
  const rows = batches.map((batch) => [getBatchLabel(batch), ...formatBatchColumns(batch), batch.endpoint])
  const header = ['batch', 'created', 'documents', 'prompt', 'base URL']
  await createStreamWriter(
    runtime.stdout,
    'stdout',
  )(rows.length === 0 ? `${formatNoBatches(dir)}\n` : formatTable([header, ...rows]))
  return 'ok'
}

/** Returns the message for an output folder without uncollected batches. */
export function formatNoBatches(dir: string): string {
  return `no batches in ${dir} are waiting to be collected`
}

/**
 * Returns the batches of an output folder that are not collected yet.
 * @param id the label of one batch; undefined for all
 * @throws ExitError `noInput` if no run has written to the folder, or if no batch has this id
 */
export async function findUncollectedBatches(
  dir: string,
  { cwd }: Pick<Runtime, 'cwd'>,
  id?: string,
): Promise<readonly UncollectedBatch[]> {
  const out = resolve(cwd, dir)
  if (!hasLedger(out))
    throw new ExitError(
      'noInput',
      `no run has written to ${dir}; name the output folder, for example: claude-batch batches list summaries`,
    )
  const batches = await listStoredBatches({ out, cwdFromOut: computeCwdFromOut(out, cwd) })
  const found = id === undefined ? batches : batches.filter((batch) => getBatchLabel(batch) === id)
  if (id !== undefined && found.length === 0)
    throw new ExitError(
      'noInput',
      `no batch ${id} in ${dir}; list its batches with: claude-batch batches list ${quoteShellWord(dir)}`,
    )
  return found
}

export type UncollectedBatch = Pick<StoredBatch, 'localId' | 'endpoint' | 'sealedAt' | 'items' | 'id'>

/** Returns the id that the API gave to a batch, or the local id if the API has not confirmed the batch. */
export function getBatchLabel({ id, localId }: UncollectedBatch): string {
  return id ?? localId
}

/**
 * Returns table columns: when the batch was completed locally, the number of documents, and prompts with
 * models.
 */
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
