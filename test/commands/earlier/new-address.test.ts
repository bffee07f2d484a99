import { describe, expect, it } from 'vitest'
import { createCountedFolder } from '../../support/counted-folder.ts'

const documents = { 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.', 'docs/c.md': 'Note c.' }

describe('a new address of the same API', () => {
  it.each([
    ['summarize', 'docs', '--batch'],
    ['summarize', 'docs'],
    ['batches', 'collect'],
  ])('collects a batch that was created at the old one with %s %s %s', async (...args) => {
    const { env, run, list, simulator } = await createCountedFolder(documents)
    expect(await run(['summarize', 'docs', '--batch', '--detach'])).toMatchObject({ code: 0, hits: 1 })
    const moved = { ANTHROPIC_BASE_URL: env['ANTHROPIC_BASE_URL']?.replace('127.0.0.1', 'localhost') ?? '' }
    const given = args.filter((arg) => arg !== undefined)
    expect(await run(given, { env: moved })).toMatchObject({ code: 0, hits: 0 })
    expect(Object.keys(await list('summaries'))).toHaveLength(3)
    // The first of the three documents was sent live, as the canary.
    expect(simulator.stats().batches.requests).toBe(2)
  })

  it('shows and cancels a batch that was created at the old one', async () => {
    const { env, run } = await createCountedFolder(documents, 3_600_000)
    await run(['summarize', 'docs', '--batch', '--detach'])
    const moved = { ANTHROPIC_BASE_URL: env['ANTHROPIC_BASE_URL']?.replace('127.0.0.1', 'localhost') ?? '' }
    expect((await run(['batches', 'status'], { env: moved })).stdout).toContain('in progress')
    expect(await run(['batches', 'cancel'], { env: moved })).toMatchObject({ code: 0 })
    expect((await run(['batches', 'status'])).stdout).toMatch(/being canceled|ended/)
  })
})
