import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveShard } from '../../src/run/resolve-shard.ts'
import type { ShardRecord } from '../../src/storage/shard-file.ts'

type Env = Readonly<Record<string, string>>

const auto = { auto: true, count: undefined } as const
const autoOf = (count: number) => ({ auto: true, count }) as const
const resolve = (setting: typeof auto | ReturnType<typeof autoOf>, env: Env, recorded?: ShardRecord) => {
  const { shard, origin } = resolveShard(setting, env, recorded)
  return { shard: `${shard.index}/${shard.count}`, origin, record: shard }
}

const slurm = (
  id: number,
  [min = 0, max = 0, step = 1, count = (max - min) / step + 1]: readonly number[],
): Env => ({
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_MIN: String(min),
  SLURM_ARRAY_TASK_MAX: String(max),
  SLURM_ARRAY_TASK_STEP: String(step),
  SLURM_ARRAY_TASK_COUNT: String(count),
})
const gridEngine = (id: string, first: number, last: number, step: number): Env => ({
  SGE_TASK_ID: id,
  SGE_TASK_FIRST: String(first),
  SGE_TASK_LAST: String(last),
  SGE_TASK_STEPSIZE: String(step),
})

describe('--shard auto', () => {
  it.each<[string, typeof auto | ReturnType<typeof autoOf>, Env, string]>([
    ['Kubernetes, first', autoOf(4), { JOB_COMPLETION_INDEX: '0' }, '1/4'],
    ['Kubernetes, last', autoOf(4), { JOB_COMPLETION_INDEX: '3' }, '4/4'],
    ['Slurm, from 0', auto, slurm(0, [0, 15]), '1/16'],
    ['Slurm, from 1', auto, slurm(16, [1, 16]), '16/16'],
    ['Slurm, in steps', auto, slurm(9, [1, 13, 4]), '3/4'],
    ['Slurm, with the number', autoOf(16), slurm(5, [0, 15]), '6/16'],
    ['AWS Batch', auto, { AWS_BATCH_JOB_ARRAY_INDEX: '2', AWS_BATCH_JOB_ARRAY_SIZE: '3' }, '3/3'],
    ['Cloud Run', auto, { CLOUD_RUN_TASK_INDEX: '0', CLOUD_RUN_TASK_COUNT: '1' }, '1/1'],
    ['Google Batch', auto, { BATCH_TASK_INDEX: '7', BATCH_TASK_COUNT: '8' }, '8/8'],
    ['Grid Engine', auto, gridEngine('5', 1, 9, 2), '3/5'],
    ['GNU parallel', autoOf(8), { PARALLEL_SEQ: '8' }, '8/8'],
    ['GitLab', auto, { CI_NODE_INDEX: '2', CI_NODE_TOTAL: '5' }, '2/5'],
    ['Slurm, with empty variables of others', auto, { ...slurm(1, [1, 2]), JOB_COMPLETION_INDEX: '' }, '1/2'],
    [
      'GitLab, in a job of Grid Engine that is no array',
      auto,
      { SGE_TASK_ID: 'undefined', CI_NODE_INDEX: '1', CI_NODE_TOTAL: '2' },
      '1/2',
    ],
  ])('takes the shard of %s', (_what, setting, env, shard) => {
    const resolved = resolve(setting, env)
    expect(resolved.shard).toBe(shard)
    expect(resolved.origin).toContain(
      Object.keys(env).find((name) => env[name] !== '' && env[name] !== 'undefined'),
    )
  })

  it.each<[string, typeof auto | ReturnType<typeof autoOf>, Env, RegExp]>([
    [
      'no job array',
      auto,
      {},
      /not a task of a job array \(none of JOB_COMPLETION_INDEX, .* is set\); name the shard/,
    ],
    ['Grid Engine without an array', auto, gridEngine('undefined', 1, 1, 1), /not a task of a job array/],
    [
      'two job arrays',
      auto,
      { ...slurm(1, [1, 2]), PARALLEL_SEQ: '3' },
      /Slurm \(SLURM_ARRAY_TASK_ID\) and GNU parallel \(PARALLEL_SEQ\)/,
    ],
    [
      'Kubernetes without the number',
      auto,
      { JOB_COMPLETION_INDEX: '0' },
      /does not say how many shards there are; use --shard auto\/N/,
    ],
    ['GNU parallel without the number', auto, { PARALLEL_SEQ: '1' }, /use --shard auto\/N/],
    [
      'some tasks of Slurm',
      auto,
      slurm(3, [3, 7, 1, 2]),
      /does not say how many .*; use --shard "\$\(\(SLURM_ARRAY_TASK_ID \+ 1\)\)\/N" \(if the first task is 0\), where/,
    ],
    ['some tasks of Slurm, with the number', autoOf(16), slurm(3, [3, 7, 1, 2]), /does not say how many/],
    ...[slurm(0, [0, 0]), slurm(1, [1, 1]), slurm(2, [2, 2]), slurm(3, [3, 5])].map(
      (env): [string, typeof auto, Env, RegExp] => [
        `${env['SLURM_ARRAY_TASK_COUNT']} from ${env['SLURM_ARRAY_TASK_MIN']} in Slurm, which may be a part`,
        auto,
        env,
        /is a task of \d, possibly tasks of a larger array .*; if not, use --shard auto\/\d$/,
      ],
    ),
    [
      'one task of Grid Engine, which may be a part',
      auto,
      gridEngine('4', 4, 4, 1),
      /if so, use --shard "\$SGE_TASK_ID\/N", where N/,
    ],
    ['another number than Slurm has', autoOf(8), slurm(3, [0, 15]), /is a task of 16, not of 8/],
    [
      'an index beyond the number',
      autoOf(4),
      { JOB_COMPLETION_INDEX: '4' },
      /JOB_COMPLETION_INDEX=4 is not one of the 4 tasks, which begin with 0/,
    ],
    [
      'an index before the first',
      autoOf(4),
      { PARALLEL_SEQ: '0' },
      /PARALLEL_SEQ=0 is not one of the 4 tasks, which begin with 1/,
    ],
    ['an index between two tasks', auto, slurm(2, [1, 13, 4]), /in steps of 4/],
    [
      'a number that is none',
      autoOf(4),
      { JOB_COMPLETION_INDEX: '1e9' },
      /JOB_COMPLETION_INDEX must be a whole number, not "1e9"/,
    ],
    [
      'a missing variable',
      auto,
      { AWS_BATCH_JOB_ARRAY_INDEX: '0' },
      /AWS_BATCH_JOB_ARRAY_SIZE must be a whole number, not ""/,
    ],
    [
      'a negative number',
      auto,
      { CLOUD_RUN_TASK_INDEX: '-1', CLOUD_RUN_TASK_COUNT: '2' },
      /CLOUD_RUN_TASK_INDEX must be/,
    ],
  ])('refuses %s', (_what, setting, env, message) => {
    expect(() => resolve(setting, env)).toThrow(message)
    expect(() => resolve(setting, env)).toThrow(/^--shard auto/)
  })

  it('gives each task of any array another shard, and all shards together', () => {
    const array = fc.record({
      first: fc.nat(1000),
      step: fc.integer({ min: 1, max: 9 }),
      count: fc.integer({ min: 1, max: 60 }),
    })
    fc.assert(
      fc.property(array, ({ first, step, count }) => {
        const ids = Array.from({ length: count }, (_, n) => first + n * step)
        const shards = ids.map(
          (id) => resolve(autoOf(count), slurm(id, [first, first + (count - 1) * step, step])).shard,
        )
        expect(shards).toEqual(ids.map((_, n) => `${n + 1}/${count}`))
      }),
    )
  })

  it('takes numbering and number from the folder if some tasks are started again', () => {
    const { record } = resolve(auto, slurm(3, [0, 15]))
    expect(record).toEqual({ index: 4, count: 16, numbering: { base: 0, step: 1 } })
    // `sbatch --array=3,7`, `--array=3` and `--array=3-5` describe other arrays.
    for (const env of [slurm(3, [3, 7, 1, 2]), slurm(3, [3, 3]), slurm(3, [3, 5])])
      expect(resolve(auto, env, record).shard).toBe('4/16')
    expect(resolve(autoOf(16), slurm(3, [3, 3]), record).shard).toBe('4/16')
  })

  it('refuses a task whose folder has another shard', () => {
    const { record } = resolve(auto, slurm(3, [0, 15]))
    expect(() => resolve(auto, slurm(5, [0, 15]), record)).toThrow(
      /^--shard: this is shard 6\/16, but the output folder has shard 4\/16; give each shard an output folder, for example -o part6$/,
    )
    expect(() => resolve(autoOf(8), slurm(3, [0, 15]), record)).toThrow(/has a shard of 16/)
    expect(() => resolve(auto, slurm(20, [20, 30]), record)).toThrow(/is not one of the 16 tasks/)
  })

  it('refuses a named shard whose folder has another one', () => {
    const recorded = { index: 1, count: 5 }
    expect(resolveShard({ index: 1, count: 5 }, {}, recorded).shard).toEqual({ index: 1, count: 5 })
    expect(() => resolveShard({ index: 2, count: 5 }, {}, recorded)).toThrow(/this is shard 2\/5, but/)
    expect(() => resolveShard({ index: 1, count: 4 }, {}, recorded)).toThrow(/has shard 1\/5/)
    expect(() => resolve(auto, slurm(1, [0, 4]), recorded)).toThrow(
      /this is shard 2\/5, but .* has shard 1\/5/,
    )
  })
})
