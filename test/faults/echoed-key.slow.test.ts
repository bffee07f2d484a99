import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { startServe } from '../support/start-serve.ts'
import { filesBelow } from './invariants.ts'

/** A response in which a hostile or broken server repeats the key. */
interface Echo {
  readonly key: string
  /** The name of the key's encoding in {@link forms}. */
  readonly form: string
  readonly status: number
  readonly body: 'message' | 'error' | 'page' | 'stream' | 'junk'
  /** Whether fields hold an object with the key instead of a string. */
  readonly nested: boolean
  /** Which fields, headers and events contain the key. */
  readonly where: readonly boolean[]
}

const forms: Readonly<Record<string, (key: string) => string>> = {
  plain: (key) => key,
  bearer: (key) => `Bearer ${key}`,
  within: (key) => `got x-api-key: ${key}; refused`,
  url: (key) => `https://evil.example/?q=${encodeURIComponent(key)}`,
  base64: (key) => Buffer.from(`Bearer ${key}`).toString('base64'),
  host: (key) => `https://${key.toLowerCase()}.example/`,
}

const echoes: fc.Arbitrary<Echo> = fc.record({
  key: fc.constantFrom('sk-ant-api03-Zq9_x-7abcdefgh', 'gateway:secret/word+1', 'plainsecret0123456789'),
  form: fc.constantFrom(...Object.keys(forms)),
  status: fc.constantFrom(200, 200, 200, 302, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 529),
  body: fc.constantFrom('message', 'error', 'page', 'stream', 'junk'),
  nested: fc.boolean(),
  where: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }).filter((where) => where.includes(true)),
})

const headers = [
  'request-id',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'location',
  'date',
  'anthropic-organization-id',
  'anthropic-ratelimit-requests-limit',
  'anthropic-ratelimit-requests-remaining',
  'x-made-up',
]
const usage = { input_tokens: 9, output_tokens: 3, service_tier: 'standard', inference_geo: 'us' }
const refusal = { type: 'refusal', category: 'cyber', explanation: 'declined' }
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-5-5',
  content: [{ type: 'text', text: 'A summary.' }],
  stop_reason: 'refusal',
  stop_sequence: '',
  stop_details: refusal,
  usage,
}
const error = {
  type: 'error',
  error: { type: 'api_error', message: 'Refused.', details: { error_code: 'made_up' } },
  request_id: 'req_1',
}
const events = [
  ['message_start', { type: 'message_start', message: { ...message, content: [] } }],
  [
    'content_block_delta',
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'A.' } },
  ],
  ['made_up', { type: 'made_up', value: 'x' }],
  [
    'message_delta',
    { type: 'message_delta', delta: { stop_reason: 'refusal', stop_details: refusal }, usage },
  ],
  ['error', { ...error, type: 'error' }],
  ['message_stop', { type: 'message_stop' }],
] as const

/** Sends the response. The model's text never has the key: see docs/decisions/0023-keys-in-output.md. */
function respond({ key, form, status, body, nested, where }: Echo, response: ServerResponse): void {
  const echo = forms[form]?.(key) ?? key
  let place = 0
  const here = (original: string) => (where[place++ % where.length] ? echo : original)
  const inFields = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const text = here(value)
      return nested && text === echo ? { held: [text] } : text
    }
    if (Array.isArray(value)) return value.map(inFields)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, name === 'text' ? field : inFields(field)]),
    )
  }
  const types = { page: 'text/html', stream: 'text/event-stream', message: 'application/json' } as const
  const type = here(types[body as keyof typeof types] ?? 'application/json')
  const sent = headers.map((name) => [name, here('')] as const).filter(([, value]) => value !== '')
  response.writeHead(status, here('OK'), { 'content-type': type, ...Object.fromEntries(sent) })
  const bodies: Readonly<Record<Echo['body'], () => string>> = {
    message: () => JSON.stringify(inFields(message)),
    error: () => JSON.stringify(inFields(error)),
    // The key spans the position where a page is shortened.
    page: () => `<html><h1 title="${echo}">${'x'.repeat(190)} ${echo}</h1><script>${echo}</script>`,
    stream: () =>
      events
        .map(([name, data]) => `event: ${here(name)}\ndata: ${JSON.stringify(inFields(data))}\n\n`)
        .join(''),
    junk: () => `{"key": "${echo}"${echo}`,
  }
  response.end(bodies[body]())
}

const echoing = (echo: Echo): Behaviour => ({
  kind: 'by-hand',
  respond: (response) => respond(echo, response),
})

/** Checks that the text contains no usable part of the key, in any encoding. */
function expectNoKey(text: string, { key }: Echo): void {
  const encoded = Buffer.from(`Bearer ${key}`).toString('base64').slice(12, 28)
  const parts = [key.slice(0, 12), key.slice(-12), encodeURIComponent(key), encoded]
  for (const part of parts) expect(text.toLowerCase()).not.toContain(part.toLowerCase())
}

/** Returns all output of a run: its streams, and the names and contents of its files. */
async function everythingOf(cwd: string, { stdout, stderr }: { stdout: string; stderr: string }) {
  const files = await filesBelow(cwd)
  const texts = await Promise.all(files.map((file) => readFile(join(cwd, file), 'utf8')))
  return [stdout, stderr, ...files, ...texts].join('\n')
}

describe('a key that a server sends back', () => {
  const documents = { 'docs/a.md': 'The harbour board met.\n', 'docs/b.md': 'The harbour was dredged.\n' }

  it('appears in no output, error record, log, ledger or report, wherever the response contains it', async () => {
    const flags = fc.constantFrom(
      ['--report', 'report.html', '--front-matter'],
      ['--report', 'report.md', '--max-tokens', '4096'],
      ['--report', 'report.json', '--redo', 'flagged'],
      ['-o', '-', '--format', 'jsonl'],
      ['-o', '-', '--max-tokens', '4096'],
    )
    await fc.assert(
      fc.asyncProperty(echoes, flags, async (echo, flags) => {
        const cwd = await createFolder(documents)
        const script = ({ index }: { index: number }): Behaviour =>
          index === 0 ? echoing(echo) : { kind: 'answer', delayMs: 1 }
        const { env, simulator } = await startService({ script })
        const args = ['summarize', 'docs', '-v', '--log', 'run.log', '--retries', '1', ...flags]
        const ended = await runInProcess(args, {
          cwd,
          env: { ...env, ANTHROPIC_API_KEY: echo.key },
          random: () => 0,
          clockSpeed: 1000,
        })
        await simulator.close()
        expect(ended.code).not.toBe(70)
        expectNoKey(await everythingOf(cwd, ended), echo)
      }),
      { numRuns: 40 },
    )
  })

  it('does not appear in the stack trace of a bug', async () => {
    const cwd = await createFolder(documents)
    const { env } = await startService({ script: () => ({ kind: 'status', status: 500 }) })
    const { code, stderr } = await runInProcess(['summarize', 'docs'], {
      cwd,
      env: { ...env, ANTHROPIC_API_KEY: 'plainsecret0123456789' },
      random: () => {
        throw new Error('cannot use plainsecret0123456789 or sk-ant-api03-another')
      },
    })
    expect(code).toBe(70)
    expect(stderr).toMatch(/this is a bug, .*\n.*cannot use \[key\] or \[key\]\n/)
    expect(stderr).not.toMatch(/plainsecret|sk-ant/)
  })

  it('appears neither in responses of the server nor on its stderr', async () => {
    let echo: Echo | undefined
    const key = 'gateway:secret/word+1'
    const { post, getStderr, url } = await startServe(['--retries', '0', '--max-wait', '0'], {
      service: { script: () => (echo === undefined ? { kind: 'answer', delayMs: 1 } : echoing(echo)) },
      env: { ANTHROPIC_API_KEY: key },
    })
    await fc.assert(
      fc.asyncProperty(echoes, async (one) => {
        echo = { ...one, key }
        const answered = await (await post({ prompt: 'What floats?' })).text()
        const metrics = await (await fetch(`${url}/metrics`)).text()
        expectNoKey(answered + metrics + getStderr(), echo)
        expect(getStderr()).not.toContain('bug')
      }),
      { numRuns: 25 },
    )
  })
})
