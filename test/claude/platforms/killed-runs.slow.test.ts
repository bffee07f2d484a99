import { describe, expect, it } from 'vitest'
import {
  createFaultyScript,
  failedDocuments,
  fortyDocuments,
  readOutcomes,
} from '../../support/forty-documents.ts'
import { startPlatform } from '../../support/platform-server.ts'
import { createFolder, runCli, startCli, startService } from '../../support/run-cli.ts'

const providers = ['anthropic', 'bedrock', 'vertex', 'foundry', 'aws'] as const

describe.each([
  ['live', '500'],
  ['streamed', '5000'],
])('40 documents, %s, with a kill in the middle', (_, maxTokens) => {
  it.each(providers)('have the same outcomes after the next run at %s', async (provider) => {
    const options = { script: createFaultyScript(100) }
    const { env, simulator } = await (provider === 'anthropic'
      ? startService(options)
      : startPlatform(provider, options))
    const cwd = await createFolder(fortyDocuments)
    const command = [
      'summarize',
      'docs',
      '--provider',
      provider,
      '--max-tokens',
      maxTokens,
      '--concurrency',
      '4',
    ]
    const { child, ended } = await startCli(
      command,
      { cwd, env },
      () => simulator.stats().billed.requests >= 12,
    )
    child.kill('SIGKILL')
    expect((await ended).signal).toBe('SIGKILL')
    const inFlight = 4
    const before = simulator.stats().billed.requests
    expect(before).toBeLessThan(36)

    const run = await runCli(command, { cwd, env })
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('40: ')])
    const expected = Object.keys(fortyDocuments).map((path, number) =>
      failedDocuments.includes(number)
        ? [`${path}.error.txt`, 'ERROR']
        : [`${path}.summary.md`, `Town ${number} dredged its harbour.`],
    )
    expect(await readOutcomes(cwd)).toEqual(Object.fromEntries(expected))
    // 38 documents are billed (all but those with a 400 and a 413), of which two are cut off the first time.
    expect(simulator.stats().billed.requests).toBeLessThanOrEqual(38 + 2 + inFlight)
  })
})
