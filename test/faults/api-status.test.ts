import { beforeAll, describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'
import { answer, type Seen, withFaults } from './with-faults.ts'

type Status = Extract<Behaviour, { kind: 'status' }>

/** An error response. A retry, if there is one, follows after 10 ms. */
const error = (status: number, fields: Partial<Status> = {}): Status => ({
  kind: 'status',
  status,
  ...fields,
  headers: { 'retry-after-ms': '10', ...fields.headers },
})
const html = { 'content-type': 'text/html' }
const page = `<html><style>p{}</style><h1>Bad \u001b[31mGateway</h1>${'nginx '.repeat(100)}</html>`

describe('transient errors that pass', () => {
  const rows = {
    A08: [error(408), answer],
    A09: [error(409), answer],
    A17: [error(500), answer],
    A20: [error(520, { headers: html, body: page }), error(524, { headers: html, body: page }), answer],
    A21: [error(529), error(529), answer],
  }
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows }))[0]
    expect(seen?.code).toBe(0)
  })

  it.each([
    ['A08', 'a 408', 2],
    ['A09', 'a 409', 2],
    ['A17', 'a 500', 2],
    ['A20', 'error pages of a proxy', 3],
    ['A21', 'two 529s', 3],
  ])('%s the request is retried after %s', (row, _name, hits) => {
    expect(seen?.fates[row]).toMatchObject({ summary: expect.stringMatching(/^\[simulated\]/) })
    expect(seen?.fates[row]?.sent).toHaveLength(hits)
  })
})

describe('transient errors that last', () => {
  const rows = {
    A18: [error(500, { message: 'down' })],
    A20: [502, 503, 504].map((code) => error(code, { headers: html, body: page })),
    A22: [error(529, { headers: { 'x-should-retry': 'false' } })],
  }
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows }))[0]
    expect(seen?.code).toBe(75)
    expect(seen?.stderr).toContain('3 failed (retryable)')
  })

  it('A18 a 500 fails the document after the retries, and the error record lists each attempt', () => {
    const { sent, record, summary } = seen?.fates['A18'] ?? {}
    expect([sent?.length, summary]).toEqual([3, undefined])
    expect(record).toMatch(/^ERROR: 500 api_error: down\n/)
    expect(record?.match(/^attempt \d: \S+ 500 api_error after \d+ ms$/gm)).toHaveLength(3)
  })

  it('A20 the error record quotes a proxy’s page without markup, escaped and shortened', () => {
    const { sent, record } = seen?.fates['A20'] ?? {}
    expect(sent).toHaveLength(3)
    expect(record?.match(/ \d+ http_50\d after/g)).toHaveLength(3)
    expect(record).toMatch(/^ERROR: 504 http_504: Bad \\x1b\[31mGateway nginx[^\n]{100,200}\n/)
  })

  it('A22 a 529 with x-should-retry: false is not retried', () => {
    const { sent, record } = seen?.fates['A22'] ?? {}
    expect(sent).toHaveLength(1)
    expect(record).toMatch(/^ERROR: 529 overloaded_error: /)
  })
})

describe('errors that concern one document', () => {
  const tooLong = 'prompt is too long: 210000 tokens > 200000 maximum'
  const echo = `cannot read \u001b]0;x\u0007 ${'Document b is confidential. '.repeat(50)}`
  const rows = {
    A01: [error(400, { message: 'messages: no' })],
    A02: [error(400, { message: tooLong })],
    A10: [error(413)],
    A11: [error(422)],
    'A11-418': [error(418)],
    'A11-451': [error(451)],
    A23: [error(400, { headers: { 'x-should-retry': 'true' } })],
    A25: [error(400, { body: '' })],
    'A25-text': [error(400, { body: '{"error":', headers: html })],
    'A25-list': [error(400, { body: '[]' })],
    'A25-large': [error(400, { body: '<style'.repeat(8_000_000), headers: html })],
    'A25-slow': [error(400, { body: '<style'.repeat(1_000_000), headers: html })],
    A26: [error(400, { message: echo })],
  }
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows }))[0]
    expect(seen?.code).toBe(1)
    expect(seen?.stderr).not.toContain('retryable')
  })

  it('A01 a 400 is reported in an error record and on stderr, both with the request id', () => {
    expect(seen?.fates['A01']).toMatchObject({
      summary: undefined,
      record: expect.stringMatching(
        /^ERROR: 400 invalid_request_error: messages: no\nrequest id: req_\w+\nattempt 1: [^\n]+\n$/,
      ),
    })
    expect(seen?.stderr).toMatch(
      /^claude-batch: docs\/b-A01\.md: 400 invalid_request_error: messages: no \[req_\w+\]$/m,
    )
  })

  it.each<[string, string, number, RegExp]>([
    ['A01', 'a 400', 1, /^ERROR: 400 invalid_request_error: /],
    [
      'A02',
      'a prompt that is too long',
      1,
      /^ERROR: 400 .* 210000 tokens > 200000 maximum; split the document\n/,
    ],
    ['A10', 'a 413', 1, /^ERROR: 413 request_too_large: .*; split the document\n/],
    ['A11', 'a 422', 1, /^ERROR: 422 /],
    ['A11-418', 'a 418', 1, /^ERROR: 418 /],
    ['A11-451', 'a 451', 1, /^ERROR: 451 /],
    ['A23', 'a 400 with x-should-retry: true', 3, /^ERROR: 400 invalid_request_error: /],
    [
      'A25',
      'an error without a body',
      1,
      /^ERROR: 400 http_400: HTTP status 400 without a message; this is not an answer of the API: /,
    ],
    [
      'A25-text',
      'an error that is not JSON',
      1,
      /^ERROR: 400 http_400: \{"error":; this is not an answer of the API: /,
    ],
    [
      'A25-list',
      'an error with unexpected JSON',
      1,
      /^ERROR: 400 http_400: \[\]; this is not an answer of the API: /,
    ],
    [
      'A25-large',
      'an error of 48 MB',
      1,
      /^ERROR: 400 http_400: .{0,200}; this is not an answer of the API: something in front of [^\n]{0,60}, such as a firewall, a proxy, a gateway or a sign-in page; it may object to this document\n/,
    ],
    [
      'A25-slow',
      'an error whose markup never ends',
      1,
      /^ERROR: 400 http_400: .{0,200}; this is not an answer of the API: something in front of [^\n]{0,60}\n/,
    ],
  ])('%s %s fails only that document', (row, _name, hits, record) => {
    expect(seen?.fates[row]?.sent).toHaveLength(hits)
    expect(seen?.fates[row]).toMatchObject({ summary: undefined, record: expect.stringMatching(record) })
  })

  it('A26 an error message that repeats the document is shortened and escaped', () => {
    expect(seen?.fates['A26']?.record).toMatch(
      /^ERROR: 400 invalid_request_error: cannot read \\x1b\]0;x\\x07 Document b is [^\n]{0,300}\n/,
    )
    expect(seen?.stderr).not.toContain('\u001b')
  })
})

describe('errors of the account or the setup', () => {
  const token = (url: string) => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: '',
    ANTHROPIC_AUTH_TOKEN: 'sk-ant-test-0123456789',
  })
  const wrongKey = error(401, { message: 'invalid x-api-key' })
  const ownLimit = 'You have reached your specified workspace API usage limits.'
  const rows: [string, string, Status, RegExp][] = [
    ['A04', 'a 401', wrongKey, /401 .*: invalid x-api-key \[req_\w+\]; check ANTHROPIC_API_KEY;/],
    ['A04', 'a 401 for a token', wrongKey, /: invalid x-api-key .*; check ANTHROPIC_AUTH_TOKEN;/],
    ['A05', 'a 402', error(402), /402 billing_error: .*see Billing in the console/],
    ['A06', 'a 403', error(403), /403 permission_error: .*may not use claude-haiku-5-5 in its workspace/],
    [
      'A07',
      'a 404',
      error(404, { message: 'model: x' }),
      /404 not_found_error: .*choose another, for example .*haiku/,
    ],
    [
      'A14',
      'the monthly spend limit',
      error(429, { code: 'enforced_spend_limit_reached', headers: {} }),
      /access returns on the 1st at 00:00 UTC/,
    ],
    ['A15', 'a self-set spend limit', error(400, { message: ownLimit }), /raise the limit in the console/],
  ]
  let seen: Seen[] = []
  beforeAll(async () => {
    const faults = rows.map(([, name, behaviour]) => ({
      everything: () => behaviour,
      flags: ['--concurrency', '2'],
      ...(name.includes('token') && { environment: token }),
    }))
    seen = await withFaults(...faults)
  })

  it.each(rows)(
    '%s %s ends the run, fails no document and shows what to do',
    (_row, name, _error, advice) => {
      const { code, stderr, files, requests } = seen[rows.findIndex((row) => row[1] === name)] as Seen
      expect(code).toBe(4)
      expect(requests).toBeLessThanOrEqual(2)
      expect([...files.keys()].filter((path) => /error\.txt|summary/.test(path))).toEqual([])
      expect(stderr).toMatch(advice)
      expect(stderr).toMatch(/2 pending/)
    },
  )
})

describe('the same error for every document', () => {
  it('A03 five first documents with the same error end the run and leave the rest pending', async () => {
    const docs = Array.from({ length: 20 }, (_, n) => [`docs/${n}.md`, `The harbour of town ${n}.`])
    const cwd = await createFolder(Object.fromEntries(docs))
    const { env, simulator } = await startService({ script: () => error(400, { message: 'effort: no' }) })
    const { code, stderr } = await runInProcess(['summarize', 'docs', '--concurrency', '2'], { cwd, env })
    expect(code).toBe(4)
    expect(simulator.stats().requests).toBeLessThanOrEqual(5 + 2)
    expect(stderr).toMatch(/stopped: the first 5 documents all failed with the same error: .*effort: no/)
    expect(stderr).toMatch(/\d pending/)
  })

  it('A24 a redirect ends the run, and the other host gets no request', async () => {
    const other = await createSimulatedClient({})
    const location = `${other.simulator.url}/v1/messages`
    const redirect = (status: number): Behaviour => ({
      kind: 'raw',
      status,
      headers: { location },
      body: '',
    })
    for (const status of [301, 302, 303, 307, 308]) {
      const { client } = await createSimulatedClient({ script: () => redirect(status) })
      const asking = client.ask(createRequest('a.md'), new AbortController().signal)
      await expect(asking).rejects.toMatchObject({ requestError: { kind: 'status', status } })
    }
    const [seen] = await withFaults({ everything: () => redirect(308) })
    expect(seen?.code).toBe(4)
    expect(seen?.stderr).toContain(`redirected to ${location}`)
    expect(seen?.fates['a']?.record).toBeUndefined()
    expect(other.simulator.stats().connections).toBe(0)
  })
})
