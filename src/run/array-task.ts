import { UsageError } from '../errors.ts'

/** The task of a job array that this process is. */
export interface ArrayTask {
  /** Who started it, with the variable that says which task it is. */
  readonly label: string
  /** The number of the task, as the engine counts. */
  readonly id: number
  /** The number of the first task. */
  readonly base: number
  /** The difference between the numbers of two tasks in a row. */
  readonly step: number
  /**
   * How many tasks there are. Undefined if the engine does not say, or if it contradicts itself, which it does if a user
   * starts only some tasks again.
   */
  readonly count: number | undefined
  /**
   * Whether the array may be some tasks of another one that a user started again: it has one task, or begins in the middle.
   */
  readonly mayBePart: boolean
  /** How to name the shard if `count` is undefined. */
  readonly explicitFlag: string
}

interface Engine {
  readonly name: string
  /** The variable with the number of the task. */
  readonly id: string
  /** The number of the first task, or the variable that has it. */
  readonly first: number | string
  /** The number with which arrays of this engine begin, unless the user chose another one. */
  readonly usualFirst?: number
  readonly step?: string
  /** The variable with the number of tasks. */
  readonly count?: string
  /** The variable with the number of the last task. */
  readonly last?: string
}

/** Variables of job arrays. @see the manuals of the engines, listed in docs/many-machines.md */
const engines: readonly Engine[] = [
  { name: 'Kubernetes', id: 'JOB_COMPLETION_INDEX', first: 0 },
  {
    name: 'Slurm',
    id: 'SLURM_ARRAY_TASK_ID',
    first: 'SLURM_ARRAY_TASK_MIN',
    step: 'SLURM_ARRAY_TASK_STEP',
    count: 'SLURM_ARRAY_TASK_COUNT',
    last: 'SLURM_ARRAY_TASK_MAX',
  },
  { name: 'AWS Batch', id: 'AWS_BATCH_JOB_ARRAY_INDEX', first: 0, count: 'AWS_BATCH_JOB_ARRAY_SIZE' },
  { name: 'Cloud Run', id: 'CLOUD_RUN_TASK_INDEX', first: 0, count: 'CLOUD_RUN_TASK_COUNT' },
  { name: 'Google Batch', id: 'BATCH_TASK_INDEX', first: 0, count: 'BATCH_TASK_COUNT' },
  {
    name: 'Grid Engine',
    id: 'SGE_TASK_ID',
    first: 'SGE_TASK_FIRST',
    usualFirst: 1,
    step: 'SGE_TASK_STEPSIZE',
    last: 'SGE_TASK_LAST',
  },
  { name: 'GNU parallel', id: 'PARALLEL_SEQ', first: 1 },
  { name: 'GitLab', id: 'CI_NODE_INDEX', first: 1, count: 'CI_NODE_TOTAL' },
]

/**
 * Finds the task of a job array in the environment.
 * @throws UsageError if the environment has no or two job arrays, or if a number is wrong
 */
export function findArrayTask(env: Readonly<Record<string, string | undefined>>): ArrayTask {
  // Grid Engine sets the number to `undefined` for jobs that are not an array.
  const found = engines.filter(({ id }) => !['', 'undefined'].includes(env[id] ?? ''))
  const [engine, other] = found
  if (engine === undefined)
    throw new UsageError(
      `--shard auto: this process is not a task of a job array (none of ${engines.map(({ id }) => id).join(', ')} is set); name the shard, for example --shard 1/16`,
    )
  if (other !== undefined)
    throw new UsageError(
      `--shard auto: two job arrays are possible, ${engine.name} (${engine.id}) and ${other.name} (${other.id}); name the shard, for example ${formatExplicit(engine)}`,
    )
  const { name, id: idName } = engine
  const read = (variable: string) => readNumber(env, variable)
  const id = read(idName)
  const base = typeof engine.first === 'number' ? engine.first : read(engine.first)
  const step = engine.step === undefined ? 1 : Math.max(1, read(engine.step))
  const spanned = engine.last === undefined ? undefined : (read(engine.last) - base) / step + 1
  const count = engine.count === undefined ? spanned : read(engine.count)
  return {
    label: `${name}, ${idName}=${id}`,
    id,
    base,
    step,
    count: spanned === undefined || spanned === count ? count : undefined,
    mayBePart: spanned !== undefined && (count === 1 || (base > 1 && base !== step)),
    explicitFlag:
      engine.count === undefined && spanned === undefined ? '--shard auto/N' : formatExplicit(engine),
  }
}

/** Returns the flag for an array of N tasks, with the condition under which it is right. */
function formatExplicit({ id, first, usualFirst = 0 }: Engine): string {
  if (first === 1 || usualFirst === 1) return `--shard "$${id}/N"`
  return `--shard "$((${id} + 1))/N"${typeof first === 'string' ? ' (if the first task is 0)' : ''}`
}

/** @throws UsageError if the variable is not a whole number */
function readNumber(env: Readonly<Record<string, string | undefined>>, variable: string): number {
  const text = env[variable] ?? ''
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new UsageError(`--shard auto: ${variable} must be a whole number, not ${JSON.stringify(text)}`)
}
