import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CachedChunk, createCachedChunks } from '../../src/storage/chunk-cache-index.ts'
import { measureCpuMs } from '../support/cpu-time.ts'

const answer = (part: string, path: string): CachedChunk => ({
  type: 'chunk',
  request_hash: part,
  path,
  text: '',
  model: 'm',
})

describe('the cached chunks', () => {
  it('are those that the documents retain, after any sequence of additions', () => {
    const key: fc.Arbitrary<string> = fc.constantFrom('k1', 'k2', 'k3', 'k4')
    const path = fc.constantFrom('a', 'b')
    const step = fc.oneof(
      fc.record({ add: key, path }),
      fc.record({ keep: fc.array(key, { maxLength: 3 }), path }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const answers = createCachedChunks()
        const expected = new Map<string, string>()
        for (const step of steps) {
          if ('add' in step) {
            answers.add(answer(step.add, step.path))
            expected.set(step.add, step.path)
          } else {
            answers.retainOnly(step.path, step.keep)
            for (const [key, path] of expected)
              if (path === step.path && !step.keep.includes(key)) expected.delete(key)
          }
        }
        const actual = [...answers.values()].map(({ request_hash: part, path }) => [part, path])
        expect(new Map(actual as [string, string][])).toEqual(expected)
        for (const [key, path] of expected) expect(answers.get(key)?.path).toBe(path)
      }),
    )
  })

  it('of many documents are updated in linear time', () => {
    const settleAll = (documents: number) => {
      const answers = createCachedChunks()
      for (let n = 0; n < documents; n++) {
        for (let chunk = 0; chunk < 3; chunk++) answers.add(answer(`${n}-${chunk}`, `${n}`))
        answers.retainOnly(`${n}`, [`${n}-0`, `${n}-1`])
      }
      expect([...answers.values()]).toHaveLength(2 * documents)
    }
    const few = measureCpuMs(() => settleAll(500))
    const many = measureCpuMs(() => settleAll(8000))
    // Linear work is 16 times as much, plus a margin for noise; quadratic work would be 256 times as much.
    expect(many).toBeLessThan(100 * Math.max(few, 1))
  })
})
