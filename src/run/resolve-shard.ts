import type { Shard, ShardSetting } from '../core/document/shard.ts'
import { UsageError } from '../errors.ts'
import type { ShardRecord } from '../storage/shard-file.ts'
import { type ArrayTask, findArrayTask } from './array-task.ts'

/** A shard, and how it was found. */
export interface ResolvedShard {
  readonly shard: ShardRecord
  /** What decided, for display; undefined if the user named the shard. */
  readonly origin: string | undefined
}

/**
 * Returns the shard of a run.
 * @param recorded the shard of earlier runs in the output folder, which a part of a job array that is started again
 *   cannot know
 * @throws UsageError if the environment does not name the shard, or if the folder has another one
 */
export function resolveShard(
  setting: ShardSetting,
  env: Readonly<Record<string, string | undefined>>,
  recorded: ShardRecord | undefined,
): ResolvedShard {
  if (!('auto' in setting)) return { shard: checkRecorded(setting, recorded), origin: undefined }
  const task = findArrayTask(env)
  const { label, id } = task
  const count = recorded?.numbering === undefined ? chooseCount(setting.count, task) : recorded.count
  if (setting.count !== undefined && setting.count !== count)
    throw new UsageError(
      `--shard auto/${setting.count}: the output folder has a shard of ${count}; use --shard auto, or another --out`,
    )
  const { base, step } = recorded?.numbering ?? task
  const index = (id - base) / step + 1
  if (!Number.isInteger(index) || index < 1 || index > count)
    throw new UsageError(
      `--shard auto: ${label} is not one of the ${count} tasks, which begin with ${base}${step === 1 ? '' : ` in steps of ${step}`}`,
    )
  return { shard: checkRecorded({ index, count, numbering: { base, step } }, recorded), origin: label }
}

/** @throws UsageError if the engine does not say how many tasks there are, or another number than the user */
function chooseCount(
  given: number | undefined,
  { label, count, mayBePart, explicitFlag }: ArrayTask,
): number {
  if (given !== undefined && (count === given || explicitFlag === '--shard auto/N')) return given
  if (given === undefined && count !== undefined && !mayBePart) return count
  throw new UsageError(
    count === undefined
      ? `--shard auto: ${label} does not say how many shards there are; use ${explicitFlag}, where N is their number`
      : given === undefined
        ? `--shard auto: ${label} is a task of ${count}, possibly tasks of a larger array that are started again; if so, use ${explicitFlag}, where N is the number of all tasks; if not, use --shard auto/${count}`
        : `--shard auto/${given}: ${label} is a task of ${count}, not of ${given}; use --shard auto, or ${explicitFlag}`,
  )
}

/** @throws UsageError if earlier runs in the output folder processed another shard */
function checkRecorded(shard: Shard & ShardRecord, recorded: ShardRecord | undefined): ShardRecord {
  if (recorded === undefined || (recorded.index === shard.index && recorded.count === shard.count))
    return shard
  throw new UsageError(
    `--shard: this is shard ${shard.index}/${shard.count}, but the output folder has shard ${recorded.index}/${recorded.count}; give each shard an output folder, for example -o part${shard.index}`,
  )
}
