import { describe, expect, it } from 'vitest'
import {
  createFaultyScript,
  failedDocuments,
  fortyDocuments,
  readOutcomes,
} from '../../support/forty-documents.ts'
import { startPlatform } from '../../support/platform-server.ts'
import { createFolder, startService } from '../../support/run-cli.ts'
import { runInProcess } from '../../support/run-in-process.ts'

const providers = ['anthropic', 'bedrock', 'vertex', 'foundry', 'aws'] as const
const modes = [
  { name: 'live', args: ['--max-tokens', '500'] },
  { name: 'streamed', args: ['--max-tokens', '5000'] },
] as const

const start = (provider: (typeof providers)[number]) => {
  const options = { script: createFaultyScript() }
  return provider === 'anthropic' ? startService(options) : startPlatform(provider, options)
}

describe.each(modes)('40 documents with faults, $name', ({ args }) => {
  const costs = new Set<string | undefined>()

  it.each(providers)('have the same outcomes and costs at %s', async (provider) => {
    const { env, simulator } = await start(provider)
    const cwd = await createFolder(fortyDocuments)
    const command = ['summarize', 'docs', '--provider', provider, ...args]
    const result = await runInProcess(command, { cwd, env, clockSpeed: 100, random: () => 0 })
    expect(result.stderr).toContain('40: 36 summarized, 4 failed')
    expect(result.code).toBe(1)
    const outcomes = await readOutcomes(cwd)
    const expected = Object.keys(fortyDocuments).map((path, number) =>
      failedDocuments.includes(number)
        ? [`${path}.error.txt`, 'ERROR']
        : [`${path}.summary.md`, `Town ${number} dredged its harbour.`],
    )
    expect(outcomes).toEqual(Object.fromEntries(expected))
    // 40 documents; five of them twice.
    expect(simulator.stats().requests).toBe(45)
    costs.add(/^cost +(\$0\.\d+)/m.exec(result.stderr)?.[1])
    expect([...costs]).toEqual([expect.stringContaining('$')])
    // A second run sends only the document with the 400 again, whose cause may be anywhere.
    const again = await runInProcess(command, { cwd, env, clockSpeed: 100 })
    expect(again.code).toBe(1)
    expect(simulator.stats().requests).toBe(46)
  })
})
