import { describe, expect, it } from 'vitest'
import { startPlatform } from '../../support/platform-server.ts'
import { createFolder } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'
import { startServe } from '../../support/start-serve.ts'

const platforms = ['bedrock', 'vertex', 'foundry', 'aws'] as const
const documents = { 'docs/a.md': 'Note a.', 'docs/b.md': 'Note b.' }

describe('claude-batch doctor', () => {
  it.each(platforms)('checks the provider, its credentials and the model: %s', async (provider) => {
    const { env, simulator } = await startPlatform(provider)
    const cwd = await createFolder(documents)
    const run = await runInProcess(['doctor', '--provider', provider, '--json'], { cwd, env })
    const { checks } = JSON.parse(run.stdout) as { checks: { name: string; status: string; found: string }[] }
    const find = (name: string) => checks.find((check) => check.name === name)
    expect(run.code).toBe(0)
    expect(find('provider')?.found).toContain('http://127.0.0.1:')
    expect(find('credentials')?.found).toBe(
      {
        bedrock: 'AWS_ACCESS_KEY_ID',
        vertex: 'the Google credentials (Application Default Credentials)',
        foundry: 'ANTHROPIC_FOUNDRY_API_KEY',
        aws: 'AWS_ACCESS_KEY_ID',
      }[provider],
    )
    // Amazon Bedrock has no call that is free of charge.
    expect(find('api')?.status).toBe(provider === 'bedrock' ? 'warning' : 'ok')
    if (provider === 'bedrock')
      expect(find('provider')?.found).toContain('claude-haiku-5-5 is global.anthropic.claude-haiku-5-5 there')
    expect(simulator.stats().billed.requests).toBe(0)
  })

  it('reports missing settings with the exit code of a run', async () => {
    const cwd = await createFolder(documents)
    const run = await runInProcess(['doctor', '--provider', 'vertex'], { cwd, env: {} })
    expect(run).toMatchObject({ code: 2, stdout: expect.stringContaining('set CLOUD_ML_REGION') })
  })
})

describe('claude-batch compare', () => {
  it.each(platforms)('compares models at %s', async (provider) => {
    const { env, requests } = await startPlatform(provider)
    const cwd = await createFolder(documents)
    const args = ['compare', 'docs', '--models', 'haiku,sonnet', '--provider', provider]
    const run = await runInProcess(args, { cwd, env })
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('4 summarized')])
    expect(requests).toHaveLength(4)
  })
})

describe('claude-batch serve', () => {
  it.each(platforms)('streams answers of %s', async (provider) => {
    const { env, requests } = await startPlatform(provider)
    const server = await startServe(['--provider', provider], { env })
    const response = await server.post({ prompt: 'Why are there two tides a day?' })
    expect(await response.text()).toContain('"done":true')
    expect(requests).toHaveLength(1)
  })
})
