import { expect, it } from 'vitest'
import { createClient, definePrompt, summarizeAll } from '../../src/index.ts'
import { collectItems, createLibraryClient, getRejection } from '../support/library-client.ts'
import { startRecordingServer } from '../support/recording-server.ts'

it('options of a call override those of the client, which override those of the prompt', async () => {
  const { bodies, env } = await startRecordingServer()
  await using client = createClient({ env, model: 'sonnet', maxTokens: 50 })
  const prompt = definePrompt({ user: '{text}', model: 'opus', maxTokens: 20, effort: 'high' })
  await client.complete('x', { model: 'haiku', maxTokens: 7, effort: 'medium' })
  await client.stream('x', { model: undefined, maxTokens: 8 }).result
  await collectItems(summarizeAll(['x'], { client, prompt }))
  await collectItems(summarizeAll(['x'], { client, prompt, model: 'haiku', maxTokens: 9, effort: 'max' }))
  expect(bodies).toMatchObject([
    { model: 'claude-haiku-5-5', max_tokens: 7, output_config: { effort: 'medium' } },
    { model: 'claude-sonnet-5-5', max_tokens: 8 },
    { model: 'claude-sonnet-5-5', max_tokens: 50, output_config: { effort: 'high' } },
    { model: 'claude-haiku-5-5', max_tokens: 9, output_config: { effort: 'max' } },
  ])
})

it.each([
  [['haiku', 'claude-haiku-5-5'], 'one rate limiter'],
  [['haiku', 'sonnet'], 'a rate limiter each'],
])('the models %j of a client have %s', async (models, limiters) => {
  const { client, simulator } = await createLibraryClient({}, { rpm: 300 })
  const ask = (n: number) => client.complete(`What is ${n}?`, { model: models[n % 2] })
  await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n)))
  const { requestTimes } = simulator.stats()
  // A rate limiter sends up to five requests immediately, then one every 200 ms.
  const elapsed = (requestTimes.at(-1) ?? 0) - (requestTimes[0] ?? 0)
  if (limiters === 'one rate limiter') expect(elapsed).toBeGreaterThan(700)
  else expect(elapsed).toBeLessThan(700)
})

it('the models of a client share its spending cap', async () => {
  const { client, simulator } = await createLibraryClient({}, { maxCostUsd: 0.002 })
  const costly = { model: 'opus', maxTokens: 1000 }
  expect(await getRejection(client.complete('One?', costly))).toMatchObject({ type: 'budget_exceeded' })
  const asked = Array.from({ length: 20 }, (_, n) =>
    client.complete(`${n}?`, { model: n % 2 === 0 ? 'haiku' : 'claude-haiku-4-5', maxTokens: 500 }),
  )
  const settled = await Promise.allSettled(asked)
  const refused = settled.filter(({ status }) => status === 'rejected')
  expect(refused.length).toBeGreaterThan(0)
  const costs = settled.flatMap((it) => (it.status === 'fulfilled' ? (it.value.costUsd ?? 0) : []))
  expect(costs.reduce((sum, cost) => sum + cost, 0)).toBeLessThanOrEqual(0.002)
  expect(simulator.stats().requests).toBe(costs.length)
})
