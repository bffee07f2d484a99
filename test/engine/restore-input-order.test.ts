import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DocumentRef } from '../../src/core/document/document.ts'
import type { Outcome } from '../../src/core/run/outcome.ts'
import { restoreInputOrder } from '../../src/engine/restore-input-order.ts'

const sourcesOf = (indexes: readonly number[]): DocumentRef[] =>
  indexes.map((index, n) => ({ index, path: `${n}.md`, namedByUser: true }))

const outcomeOf = (document: DocumentRef): Outcome => ({
  document,
  attempts: [],
  elapsedMs: 0,
  status: 'skipped',
  type: 'empty',
  reason: 'the document is empty',
})

async function* arriving(sources: readonly DocumentRef[], error?: Error): AsyncGenerator<Outcome> {
  for (const source of sources) yield outcomeOf(source)
  if (error !== undefined) throw error
}

async function pathsIn(outcomes: AsyncIterable<Outcome>): Promise<string[]> {
  const paths: string[] = []
  for await (const { document } of outcomes) paths.push(document.path)
  return paths
}

/** Documents with any indexes, and a subset of them in the order in which they finish. */
const runs = fc.array(fc.nat(20), { maxLength: 12 }).chain((indexes) => {
  const sources = sourcesOf(indexes)
  return fc.record({ sources: fc.constant(sources), finished: fc.shuffledSubarray(sources) })
})

describe('restoreInputOrder', () => {
  it('yields every outcome once in the order of the list, for any indexes and missing outcomes', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ sources, finished }) => {
        const expected = sources.filter((source) => finished.includes(source)).map(({ path }) => path)
        expect(await pathsIn(restoreInputOrder(arriving(finished), sources))).toEqual(expected)
      }),
    )
  })

  it('yields every outcome before it throws an error of the run', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ({ sources, finished }) => {
        const seen: string[] = []
        const error = new Error('a bug')
        const taking = (async () => {
          for await (const { document } of restoreInputOrder(arriving(finished, error), sources))
            seen.push(document.path)
        })()
        await expect(taking).rejects.toBe(error)
        expect(seen).toEqual(sources.filter((it) => finished.includes(it)).map(({ path }) => path))
      }),
    )
  })

  it('yields an outcome as soon as all earlier outcomes have arrived', async () => {
    const sources = sourcesOf([0, 1, 2])
    const [a, b, c] = sources as [DocumentRef, DocumentRef, DocumentRef]
    const log: string[] = []
    async function* outcomes() {
      for (const source of [b, a, c]) {
        log.push(`finished ${source.path}`)
        yield outcomeOf(source)
      }
    }
    for await (const { document } of restoreInputOrder(outcomes(), sources))
      log.push(`written ${document.path}`)
    expect(log).toEqual([
      'finished 1.md',
      'finished 0.md',
      'written 0.md',
      'written 1.md',
      'finished 2.md',
      'written 2.md',
    ])
  })

  it('yields outcomes of unknown documents and duplicate outcomes at the end', async () => {
    const [a, b] = sourcesOf([0, 1]) as [DocumentRef, DocumentRef]
    const stranger = { index: 0, path: 'stranger.md', namedByUser: true }
    const finished = [stranger, b, b, a]
    expect(await pathsIn(restoreInputOrder(arriving(finished), [a, b]))).toEqual([
      '0.md',
      '1.md',
      'stranger.md',
      '1.md',
    ])
  })
})
