import { chmod } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createClaudeClient } from '../../src/claude/claude-client.ts'
import { AskError } from '../../src/core/errors/ask-error.ts'
import { collectItems } from '../support/library-client.ts'
import { realClock } from '../support/real-clock.ts'
import { createFolder } from '../support/run-cli.ts'
import { createRequest } from '../support/scripted-ask.ts'

const never = new AbortController().signal

/**
 * A client of a server whose responses `respond` writes. `shown` formats the value or error of a call,
 * including hidden properties.
 */
async function clientOf(
  respond: (request: IncomingMessage, response: ServerResponse) => void,
  env: Readonly<Record<string, string>> = {},
) {
  const server = createServer(respond).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const client = await createClaudeClient({
    clock: realClock,
    env: {
      ANTHROPIC_API_KEY: 'the-secret-key',
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ...env,
    },
    connectTimeoutMs: 2000,
    idleTimeoutMs: 2000,
    settingNames: { idleTimeout: '--idle-timeout', allowHttp: '--allow-http' },
    totalTimeoutMs: 5000,
  })
  onTestFinished(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  const shown = async (asked: Promise<unknown>) =>
    inspect(await asked.catch((error: unknown) => error), { depth: 20, showHidden: true })
  return { client, shown }
}

/** Returns all request headers in the response body and in the request id. */
const mirror = (status: number) => (request: IncomingMessage, response: ServerResponse) => {
  const sent = JSON.stringify(request.headers)
  response.writeHead(status, { 'content-type': 'application/json', 'request-id': sent })
  response.end(JSON.stringify({ type: 'error', error: { type: sent, message: sent }, request_id: sent }))
}

describe('a client with redaction', () => {
  it.each([200, 400, 401, 500])(
    'redacts the key in a response %i that repeats the request',
    async (status) => {
      const { client, shown } = await clientOf(mirror(status), {
        ANTHROPIC_CUSTOM_HEADERS: 'X-Gateway-Key: custom-secret\nX-Other: Basic dXNlcjpodW50ZXIy',
      })
      const { batches } = client
      const all = [
        () => client.ask(createRequest('a.md'), never),
        () => client.ask(createRequest('a.md', { maxTokens: 8192 }), never),
        () => client.countTokens(createRequest('a.md'), never),
        () => batches.retrieve('msgbatch_1', never),
        () => batches.cancel('msgbatch_1', never),
        () => batches.listSince(0, never),
        () => batches.create((async function* () {})(), never),
        () => collectItems(batches.fetchResults('msgbatch_1', never)),
      ]
      for (const one of all) {
        const text = await shown(one())
        // An unreadable line of batch results is a value, not an error.
        expect(text).toMatch(/AskError|unreadable/)
        expect(text).not.toMatch(/the-secret-key|custom-secret|dXNlcjpodW50ZXIy/)
      }
    },
  )

  it('redacts a key that is returned as the id of a batch or request, or as a model', async () => {
    const key = 'the-secret-key'
    const batch = { id: key, processing_status: 'ended', created_at: '2026-11-22T12:00:00Z' }
    const error = { type: 'errored', error: { error: { type: key, message: key }, request_id: key } }
    const message = { type: 'message', model: key, stop_reason: key, content: [{ type: 'text', text: key }] }
    const lines = [error, { type: 'succeeded', message }].map((result) => ({ custom_id: key, result }))
    let where: string | undefined = `https://${key}.example/`
    const { client, shown } = await clientOf((request, response) => {
      if (request.url?.endsWith('/results'))
        response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      else if (request.url?.includes('limit='))
        response.end(JSON.stringify({ data: [batch], has_more: false }))
      else {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ ...batch, results_url: where }))
      }
    })
    const { batches } = client
    expect(await shown(batches.retrieve('msgbatch_1', never))).toContain("id: '[key]'")
    for (const one of [() => batches.retrieve('1', never), () => batches.listSince(0, never)])
      expect(await shown(one())).not.toContain(key)
    // Results on another host are not fetched, and the key in the name of that host is redacted.
    await expect(collectItems(batches.fetchResults('1', never))).rejects.toThrow(
      'results are at [key].example',
    )
    where = undefined
    const text = await shown(collectItems(batches.fetchResults('1', never)))
    expect(text).toContain("type: '[key]'")
    expect(text.replace(`text: '${key}'`, '')).not.toContain(key)
  })

  it('redacts the token of a profile', async () => {
    const token = { type: 'oauth_token', access_token: 'profile-token-secret', expires_at: 9_999_999_999 }
    const folder = await createFolder({
      'configs/default.json': JSON.stringify({ authentication: { type: 'user_oauth' } }),
      'credentials/default.json': JSON.stringify(token),
    })
    await chmod(join(folder, 'credentials/default.json'), 0o600)
    const profile = { ANTHROPIC_API_KEY: '', ANTHROPIC_CONFIG_DIR: folder }
    const { client, shown } = await clientOf(mirror(401), profile)
    const text = await shown(client.ask(createRequest('a.md'), never))
    expect(text).toContain('the profile in use')
    expect(text).toContain('[key]')
    expect(text).not.toContain('profile-token-secret')
  })

  it('does not redact the text of the model, which may be about keys', async () => {
    const text = 'Set ANTHROPIC_API_KEY to sk-ant-api03-example, not to the-secret-key.'
    const { client } = await clientOf((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          type: 'message',
          model: 'm',
          stop_reason: 'end_turn',
          content: [{ type: 'text', text }],
        }),
      )
    })
    expect(await client.ask(createRequest('a.md'), never)).toMatchObject({ text, model: 'm' })
  })

  it('rethrows the abort reason of the caller unchanged', async () => {
    const { client } = await clientOf(() => {})
    const stop = new AbortController()
    const reason = new Error('stopped')
    const asked = client.ask(createRequest('a.md'), stop.signal)
    stop.abort(reason)
    await expect(asked).rejects.toBe(reason)
  })

  it('throws a request error if a server returns objects instead of strings', async () => {
    const { client } = await clientOf((_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"error":{"type":{"a":1},"message":["b"],"details":{"error_code":{}}}}')
    })
    const error = await client.ask(createRequest('a.md'), never).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(AskError)
    expect((error as AskError).requestError).toMatchObject({ status: 400, type: 'http_400' })
  })
})
