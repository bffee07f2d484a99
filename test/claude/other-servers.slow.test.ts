import { describe, expect, it } from 'vitest'
import type { Script } from '../../src/simulator/script.ts'
import { createFaultyScript, fortyDocuments, readOutcomes } from '../support/forty-documents.ts'
import { type Aimock, hasNoOtherServers, startAimock, startPortkey } from '../support/other-servers.ts'
import { createFolder, runCli, startService } from '../support/run-cli.ts'

const key = 'sk-ant-test-0123456789'
const tenDocuments = Object.fromEntries(Object.entries(fortyDocuments).slice(0, 10))
const tenSummaries = Object.fromEntries(
  Object.keys(tenDocuments).map((path, number) => [`${path}.summary.md`, summarize(number)]),
)
const modes = [
  ['live', '500'],
  ['streamed', '5000'],
] as const

function summarize(number: number): string {
  return `Town ${number} dredged its harbour.`
}

/** The environment variables that make the program use a server, by provider. */
const createEnv = {
  anthropic: (url: string) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key }),
  bedrock: (url: string) => ({
    ANTHROPIC_BEDROCK_BASE_URL: url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret/example+key0123456789',
  }),
}
type Provider = keyof typeof createEnv

/** Summarizes ten documents with aimock. */
async function runWithAimock(url: string, provider: Provider, ...args: string[]) {
  const cwd = await createFolder(tenDocuments)
  const env = createEnv[provider](url)
  const run = await runCli(['summarize', 'docs', '--provider', provider, ...args], { cwd, env })
  return { ...run, outcomes: await readOutcomes(cwd) }
}

/** Makes aimock summarize every document that no earlier fixture answers. */
function answerAll(aimock: Aimock) {
  aimock.on({}, ({ messages }) => ({
    content: summarize(Number(/Note (\d+)\./.exec(JSON.stringify(messages))?.[1])),
    usage: { input_tokens: 100, output_tokens: 20 },
  }))
}

describe.skipIf(hasNoOtherServers)('aimock', () => {
  it.each([
    ['anthropic', 'live', '500'],
    ['anthropic', 'streamed', '5000'],
    ['bedrock', 'live', '500'],
  ] as const)(
    'summarizes ten documents as %s, %s, and gives tokens for the cost',
    async (provider, _, maxTokens) => {
      const aimock = await startAimock()
      answerAll(aimock)
      const run = await runWithAimock(aimock.url, provider, '--max-tokens', maxTokens)
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('10: 10 summarized')])
      expect(run.outcomes).toEqual(tenSummaries)
      expect(run.stderr).toMatch(/^tokens +1,000 in, 200 out$/m)
      expect(run.stderr).toMatch(/^cost +\$0\.0002( |$)/m)
      expect(aimock.getRequests()).toHaveLength(10)
    },
  )

  it.each([
    ['anthropic', 'live', '500', 16],
    ['anthropic', 'streamed', '5000', 17],
    ['bedrock', 'live', '500', 16],
  ] as const)(
    'has faults, and every document gets its summary as %s, %s',
    async (provider, _, maxTokens, requests) => {
      const aimock = await startAimock()
      const once = (number: number) => ({ userMessage: `Note ${number}.`, sequenceIndex: 0 })
      const half = { content: 'Half a summary that breaks off.' }
      const error = (type: string) => ({ type, message: `aimock: ${type}` })
      aimock
        .on(once(1), { status: 429, error: error('rate_limit_error'), retryAfter: 1 })
        .on(once(2), { status: 500, error: error('api_error') })
        .on(once(3), { status: 529, error: error('overloaded_error') })
        .on(once(4), half, { chaos: { malformedRate: 1 } })
        .on(once(5), half, { chaos: { disconnectRate: 1 } })
        .on(once(6), half, { chaos: { dropRate: 1 } })
      if (maxTokens === '5000') aimock.on(once(7), half, { truncateAfterChunks: 4, chunkSize: 5 })
      answerAll(aimock)
      const run = await runWithAimock(aimock.url, provider, '--max-tokens', maxTokens)
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('10: 10 summarized')])
      expect(run.outcomes).toEqual(tenSummaries)
      expect(aimock.getRequests()).toHaveLength(requests)
    },
  )

  it.each(modes)(
    'gets a request again if it sends nothing for the idle timeout, %s',
    async (_, maxTokens) => {
      const aimock = await startAimock()
      aimock.on(
        { userMessage: 'Note 4.', sequenceIndex: 0 },
        { content: 'Late.' },
        { chaos: { latencyMs: 30_000 } },
      )
      answerAll(aimock)
      const flags = ['--max-tokens', maxTokens, '--idle-timeout', '3s']
      const run = await runWithAimock(aimock.url, 'anthropic', ...flags)
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('1 retry (timeout: 1)')])
      expect(run.outcomes).toEqual(tenSummaries)
    },
  )

  it('may send a stream that takes longer than the idle timeout', async () => {
    const aimock = await startAimock()
    const content = 'A summary that arrives in small pieces.'
    aimock.on({ userMessage: 'Note 4.' }, { content }, { latency: 300, chunkSize: 3 })
    answerAll(aimock)
    const run = await runWithAimock(aimock.url, 'anthropic', '--max-tokens', '5000', '--idle-timeout', '3s')
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining('retr')])
    expect(run.stderr).toMatch(/^latency .*p99 \d+(\.\d+)? s$/m)
    expect(run.outcomes).toEqual({ ...tenSummaries, 'docs/04.md.summary.md': content })
  })

  it.each(['anthropic', 'bedrock'] as const)(
    'fails one document with a 400 and one whose summary is cut off: %s',
    async (provider) => {
      const aimock = await startAimock()
      aimock
        .on(
          { userMessage: 'Note 2.' },
          { status: 400, error: { type: 'invalid_request_error', message: 'no' } },
        )
        .on({ userMessage: 'Note 5.' }, { content: 'Half', finishReason: 'length' })
      answerAll(aimock)
      const run = await runWithAimock(aimock.url, provider)
      expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('10: 8 summarized, 2 failed')])
      const { 'docs/02.md.summary.md': _2, 'docs/05.md.summary.md': _5, ...others } = tenSummaries
      expect(run.outcomes).toEqual({
        ...others,
        'docs/02.md.error.txt': 'ERROR',
        'docs/05.md.error.txt': 'ERROR',
      })
      expect(aimock.getRequests()).toHaveLength(10)
    },
  )

  it.each(['anthropic', 'bedrock'] as const)(
    'ends the run with exit code 4 if it rejects the key: %s',
    async (provider) => {
      const aimock = await startAimock(['another-key'])
      answerAll(aimock)
      const run = await runWithAimock(aimock.url, provider)
      expect([run.code, run.stderr]).toEqual([4, expect.stringContaining('Invalid API key')])
      expect(Object.keys(run.outcomes).filter((path) => path.endsWith('.summary.md'))).toEqual([])
    },
  )

  // Amazon puts an event as base64 into the field `bytes`. aimock sends the event itself, in which the official client
  // finds nothing.
  it('gives no summary with its stream of Bedrock, which is unreadable', async () => {
    const aimock = await startAimock()
    answerAll(aimock)
    const run = await runWithAimock(aimock.url, 'bedrock', '--max-tokens', '5000', '--retries', '0')
    expect([run.code, run.stderr]).toEqual([
      75,
      expect.stringContaining('10: 0 summarized, 10 failed (retryable)'),
    ])
    expect(new Set(Object.values(run.outcomes))).toEqual(new Set(['ERROR']))
    expect(aimock.getRequests().map(({ path }) => path)).toEqual(
      Array(10).fill('/model/global.anthropic.claude-haiku-5-5/invoke-with-response-stream'),
    )
  })
})

/** Runs documents without and with the gateway, each time with a new simulator. */
async function runWithAndWithoutPortkey(
  createScript: () => Script,
  documents: Readonly<Record<string, string>>,
  maxTokens: string,
) {
  const gateway = await startPortkey()
  const runWith = async (isBehindGateway: boolean) => {
    const { simulator, env } = await startService({ script: createScript() })
    const cwd = await createFolder(documents)
    const command = ['summarize', 'docs', '--max-tokens', maxTokens]
    const headers = [
      ...['--headers', 'x-portkey-provider=anthropic'],
      ...['--headers', `x-portkey-custom-host=${simulator.url}/v1`],
    ]
    const run = isBehindGateway
      ? await runCli([...command, ...headers], { cwd, env: { ...env, ANTHROPIC_BASE_URL: gateway } })
      : await runCli(command, { cwd, env })
    return { ...run, outcomes: await readOutcomes(cwd), requests: simulator.stats().requests }
  }
  return { without: await runWith(false), behind: await runWith(true) }
}

const answerEach: Script = ({ request }) => ({
  kind: 'answer',
  delayMs: 1,
  text: summarize(Number(/Note (\d+)\./.exec(request.text)?.[1])),
})

describe.skipIf(hasNoOtherServers)('the gateway of Portkey', () => {
  it.each(modes)('passes on the summaries, tokens and cost of ten documents, %s', async (mode, maxTokens) => {
    const { without, behind } = await runWithAndWithoutPortkey(() => answerEach, tenDocuments, maxTokens)
    expect([behind.code, behind.stderr]).toEqual([0, expect.stringContaining('10: 10 summarized')])
    expect(behind.outcomes).toEqual(tenSummaries)
    expect(behind.requests).toBe(10)
    expect(behind.stderr.includes('time to first token')).toBe(mode === 'streamed')
    const readCosts = (stderr: string) => /^tokens +[1-9].*\ncost +\$0\.0\d+$/m.exec(stderr)?.[0]
    expect(readCosts(without.stderr)).toBeDefined()
    expect(readCosts(behind.stderr)).toBe(readCosts(without.stderr))
  })

  it.each(modes)('changes no outcome of 40 documents with faults, %s', async (_, maxTokens) => {
    const { without, behind } = await runWithAndWithoutPortkey(createFaultyScript, fortyDocuments, maxTokens)
    expect([behind.code, behind.stderr]).toEqual([1, expect.stringContaining('40: 36 summarized, 4 failed')])
    expect(behind.outcomes).toEqual(without.outcomes)
    expect([without.requests, behind.requests]).toEqual([45, 45])
  })

  it.each(modes)(
    'passes on a rejected key, which ends the run with exit code 4, %s',
    async (_, maxTokens) => {
      const { without, behind } = await runWithAndWithoutPortkey(
        () => () => ({ kind: 'status', status: 401, message: 'invalid x-api-key' }),
        tenDocuments,
        maxTokens,
      )
      for (const { code, stderr, outcomes } of [without, behind]) {
        expect([code, stderr]).toEqual([4, expect.stringContaining('invalid x-api-key')])
        expect(stderr).toContain('10: 0 summarized, 10 pending')
        expect(outcomes).toEqual({})
      }
      // The gateway begins the message with the provider that a header names.
      expect(behind.stderr).toContain('anthropic error: invalid x-api-key')
    },
  )

  it('ends the run with exit code 4 and its message if a header is missing', async () => {
    const gateway = await startPortkey()
    const cwd = await createFolder(tenDocuments)
    const run = await runCli(['summarize', 'docs'], { cwd, env: createEnv.anthropic(gateway) })
    expect([run.code, run.stderr]).toEqual([
      4,
      expect.stringMatching(/stopped: the first 5 documents .*x-portkey-provider header is required/),
    ])
  })
})
