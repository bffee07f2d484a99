import { join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import type { TaskNumbering } from '../core/document/shard-coverage.ts'
import { count, objectOf, oneOf, optional, type TypeOf, where } from '../core/text/shape.ts'
import { UsageError } from '../errors.ts'
import { writeFileAtomic } from './fs/atomic-write.ts'
import { toReadError, toWriteError } from './fs/disk-error.ts'
import { readWholeFile, removeFile } from './fs/no-follow-fs.ts'

/** Incremented by changes that another version of claude-batch would misread. */
const shardFormatVersion = 1

const positive = where(count, (value) => value >= 1, { minimum: 1 })

const shardShape = objectOf({
  format_version: oneOf(shardFormatVersion),
  index: positive,
  count: positive,
  first_task: optional(count),
  task_step: optional(positive),
})

/** The shard whose documents an output folder has. */
export interface ShardRecord {
  readonly index: number
  readonly count: number
  /** How the job array numbers its tasks; undefined if the user named the shard. */
  readonly numbering?: TaskNumbering
}

/**
 * Reads the shard that the runs in an output folder process; undefined if they process all documents.
 * @throws UsageError if the file is not one of this version; ExitError `ioError`
 */
export async function readShardRecord(out: string): Promise<ShardRecord | undefined> {
  const file = shardPath(out)
  const content = await readWholeFile(out, file, maxBytes).catch((error: NodeJS.ErrnoException) => {
    throw toReadError(file, error)
  })
  if (content === undefined) return undefined
  const record = parseJson(content.toString('utf8'))
  if (!shardShape.matches(record) || record.index > record.count)
    throw new UsageError(
      `${file} does not say which shard this folder has; delete it if no other run will need it`,
    )
  const { index, count, first_task: base, task_step: step = 1 } = record
  return { index, count, ...(base !== undefined && { numbering: { base, step } }) }
}

/** Records the shard of an output folder. The caller must hold the folder's lock. @throws ExitError `ioError` */
export async function writeShardRecord(
  out: string,
  { index, count, numbering }: ShardRecord,
  runId: string,
): Promise<void> {
  const record: TypeOf<typeof shardShape> = {
    format_version: shardFormatVersion,
    index,
    count,
    ...(numbering !== undefined && { first_task: numbering.base, task_step: numbering.step }),
  }
  await writeFileAtomic(out, shardPath(out), `${JSON.stringify(record)}\n`, `${runId}-shard`)
}

/** Removes the record: the folder then has documents of all shards. @throws ExitError `ioError` */
export async function removeShardRecord(out: string): Promise<void> {
  await removeFile(out, shardPath(out)).catch((error: NodeJS.ErrnoException) => {
    throw toWriteError(shardPath(out), error)
  })
}

/** Bytes. The file has one short line. */
const maxBytes = 10_000

function shardPath(out: string): string {
  return join(out, stateFolder, 'shard.json')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
