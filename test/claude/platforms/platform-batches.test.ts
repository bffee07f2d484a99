import { describe, expect, it } from 'vitest'
import { readOutcomes } from '../../support/forty-documents.ts'
import { startPlatform } from '../../support/platform-server.ts'
import { createFolder, startService } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'

const documents = Object.fromEntries(
  Array.from({ length: 5 }, (_, index) => [`docs/${index}.md`, `Note ${index} about the harbour.`]),
)
const batches = { durationMs: 1 }

describe('batches at Claude Platform on AWS', () => {
  it('are created with a signed body, collected and named by their model', async () => {
    const { env, simulator, requests } = await startPlatform('aws', { batches })
    const cwd = await createFolder(documents)
    const args = ['summarize', 'docs', '--provider', 'aws', '--batch', '--model-id', 'haiku=our-haiku']
    const run = await runInProcess(args, { cwd, env, clockSpeed: 100 })
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('5 summarized')])
    expect(run.stderr).not.toMatch(/^note/m)
    expect(Object.keys(await readOutcomes(cwd))).toHaveLength(5)
    expect(simulator.stats().batches.created).toBe(1)
    const upload = requests.find(({ url, body }) => url === '/v1/messages/batches' && body !== '')
    expect(upload?.headers).toMatchObject({
      authorization: expect.stringContaining('x-amz-content-sha256'),
      'x-amz-content-sha256': expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  })

  it('are created with a key, which signs nothing', async () => {
    const { env, requests } = await startPlatform('aws', { batches, bearer: 'aws-key-0123456789' })
    const cwd = await createFolder(documents)
    const run = await runInProcess(['summarize', 'docs', '--provider', 'aws', '--batch'], {
      cwd,
      env: { ...env, ANTHROPIC_AWS_API_KEY: 'aws-key-0123456789' },
      clockSpeed: 100,
    })
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('5 summarized')])
    expect(requests.some(({ headers }) => 'x-amz-date' in headers)).toBe(false)
  })
})

describe('a batch of Anthropic', () => {
  it('is left alone by a run at a provider without batches, and collected later', async () => {
    const anthropic = await startService({ batches })
    const bedrock = await startPlatform('bedrock')
    const cwd = await createFolder(documents)
    const run = (env: Readonly<Record<string, string>>, ...args: string[]) =>
      runInProcess(args, { cwd, env, clockSpeed: 100 })
    const detached = await run(anthropic.env, 'summarize', 'docs', '--batch', '--detach')
    expect(detached.stderr).toContain('in a batch')
    const batched = anthropic.simulator.stats().batches.created
    expect(batched).toBe(1)

    expect(await run(bedrock.env, 'batches', 'status', '--provider', 'bedrock')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('not to the current base URL'),
    })
    const live = await run(bedrock.env, 'summarize', 'docs', '--provider', 'bedrock')
    expect(live).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('not to the base URL in use; skipped'),
    })
    expect(await run(bedrock.env, 'batches', 'collect', '--provider', 'bedrock')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('skipped'),
    })
    expect(await run(bedrock.env, 'batches', 'cancel', '--provider', 'bedrock')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('belongs to'),
    })
    expect(await run(anthropic.env, 'batches', 'collect')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('4 summarized'),
    })
    expect(bedrock.requests.every(({ url }) => url.startsWith('/model/'))).toBe(true)
  })
})
